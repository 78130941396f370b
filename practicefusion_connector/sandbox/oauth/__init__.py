"""The practice's authorization server: SMART App Launch 2.0 on OAuth 2.0, done by Authlib.

Knows apps, people, grants and tokens. Knows no FHIR resource and draws no page.
"""
