"""Runs the command line as `python -m practicefusion_connector.cli`."""

from practicefusion_connector.cli import main

main()
