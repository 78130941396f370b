"""The last line of defence for logs: no query, token or secret in other libraries' records.

urllib3 logs every URL at DEBUG, and a FHIR query is PHI; requests-oauthlib and oauthlib log token
answers whole. The connector itself logs path templates only.
"""

from __future__ import annotations

import logging
import re

# A link of the server's own may hold an apostrophe, so only space and quotation marks end a query.
_QUERY = re.compile(r"(/[^\s?\"']*)\?[^\s\"]*")
_ID_IN_PATH = re.compile(r"/([A-Z][A-Za-z]+)/[A-Za-z0-9.-]+(?![A-Za-z0-9.-])")
_SPEAKS_OF_URLS = ("urllib3.connection", "urllib3.connectionpool", "urllib3.util.retry")
_SPEAKS_OF_TOKENS = (
    "requests_oauthlib.oauth2_auth",
    "requests_oauthlib.oauth2_session",
    "oauthlib.oauth2.rfc6749.clients.base",
    "oauthlib.oauth2.rfc6749.parameters",
    "oauthlib.oauth2.rfc6749.tokens",
    "oauthlib.common",
)


def path_template(url_or_path: str) -> str:
    """Return the path from the resource on, ids masked, without the query: `Patient/{id}`."""
    path = re.sub(r"^[a-z]+://[^/]*", "", url_or_path).split("?", 1)[0]
    masked = _ID_IN_PATH.sub(r"/\1/{id}", path)
    from_resource = re.search(r"(?<=/)[A-Z][A-Za-z]+(/\{id\})?$", masked)
    return from_resource.group() if from_resource else masked


class _WithoutQueries(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        # What urllib3 could not parse it quotes whole, and the trace with it.
        told = record.getMessage().partition("unparsed data: ")[0]
        told = _QUERY.sub(r"\1?…", told)
        record.msg, record.args = _ID_IN_PATH.sub(r"/\1/{id}", told), None
        record.exc_info = record.exc_text = None
        return True


class _Silence(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno >= logging.WARNING


def guard_loggers() -> None:
    """Put the filters on the loggers that would leak; doing it again changes nothing."""
    for names, guard in ((_SPEAKS_OF_URLS, _WithoutQueries), (_SPEAKS_OF_TOKENS, _Silence)):
        for name in names:
            logger = logging.getLogger(name)
            if not any(isinstance(present, guard) for present in logger.filters):
                logger.addFilter(guard())
