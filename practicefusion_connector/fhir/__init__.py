"""FHIR: read, search, pages, bundles, typed models on request.

It knows resources and bundles, not what an action is for.
"""
