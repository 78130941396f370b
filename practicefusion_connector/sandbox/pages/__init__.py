"""The pages people see: login, consent, account, EHR launch, home.

Knows what a person decides. Knows no FHIR search and no token.
"""
