"""`practicefusion mcp`: the actions as tools for a model's host."""

from __future__ import annotations

from contextlib import AbstractContextManager, contextmanager
from collections.abc import Iterator

import click

from practicefusion_connector import settings
from practicefusion_connector.cli import output, sessions
from practicefusion_connector.connector import PracticeFusion
from practicefusion_connector.errors import InvalidConfig

