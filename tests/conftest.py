"""Fixtures every test may use: real services. The sandbox's own come from the shipped plugin."""

pytest_plugins = ["tests.services"]
