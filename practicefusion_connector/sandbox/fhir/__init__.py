"""The practice's FHIR endpoint: read, search and metadata.

Knows the records, the search room and what an access token allows. Knows no OAuth flow.
"""
