"""A Medfusion patient portal in the same process: invitations, registration, changes.

Written from what is publicly known of the vendor's API, and like the rest of the sandbox without
any code of the client it stands opposite to.
"""
