"""Fixtures every test may use: real services and a real browser.

The sandbox's own fixtures come from the plugin that is shipped.
"""

pytest_plugins = ["tests.browsers", "tests.services"]
