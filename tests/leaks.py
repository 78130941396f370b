"""Where a secret or a patient's data could show in an error: what tests look through."""

from __future__ import annotations

import json
import traceback

from practicefusion_connector.errors import ConnectorError


def everything_said(error: ConnectorError) -> str:
    """Return an error's text, repr, dict and traceback, with all that is chained to it."""
    said = [str(error), repr(error), json.dumps(error.to_dict())]
    if error.__cause__ or error.__context__:
        said += traceback.format_exception(error)
        said.append(repr(error.__cause__) + repr(error.__context__))
    return "\n".join(said)
