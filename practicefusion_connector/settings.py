"""What the environment says: proxies, certificate authorities, and where connections are kept.

The one module that reads the environment. It gives plain values, a `Policy` or an open store;
everything below takes those as arguments and knows no variable's name.

    HTTPS_PROXY, HTTP_PROXY, ALL_PROXY, NO_PROXY    the way to the practice
    REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE, SSL_CERT_FILE    who vouches for its certificate
    PRACTICEFUSION_STORE    the URL of the token store
    PRACTICEFUSION_STORE_KEY    the key it is sealed with, see `stores.sealing`
    PF_SYNC_…, PF_FHIR_BASE_URL and others    what to sync, see `sync.config`
    PF_SYNC_CONFIG    the TOML file with a sync's settings, for workers
    PF_SYNC_BROKER    the URL of the workers' queue, see `tasks`
    PRACTICEFUSION_HISTORY    the file or the URL of the run history
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import SecretStr
from requests.utils import get_environ_proxies

from practicefusion_connector.connection import is_loopback
from practicefusion_connector.errors import InvalidConfig, InvalidInput
from practicefusion_connector.stores import open_store
from practicefusion_connector.transport import Policy

if TYPE_CHECKING:
    from practicefusion_connector.stores import ConnectionStore

_CA_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_PROXY_SCHEMES = ("http", "https", "all")
_STORE = "PRACTICEFUSION_STORE"
_HISTORY = "PRACTICEFUSION_HISTORY"


def policy(url: str, **limits: Any) -> Policy:
    """Return the policy for the server at `url`: the way there, and `limits` as given.

    A server that `NO_PROXY` names, or on loopback, is reached without a proxy.
    """
    return Policy(proxies=proxies(url), ca_bundle=ca_bundle(), **limits)


def proxies(url: str) -> tuple[tuple[str, str], ...]:
    """Return the proxies to `url` by scheme."""
    if is_loopback(urlsplit(url).hostname):
        return ()
    declared = get_environ_proxies(url)
    return tuple((scheme, declared[scheme]) for scheme in _PROXY_SCHEMES if declared.get(scheme))


def ca_bundle() -> str | None:
    """Return the file of certificate authorities to trust, or `None` for the library's own.

    Raises:
        InvalidConfig: a variable names a file that is not there.
    """
    for variable in _CA_BUNDLES:
        if path := os.environ.get(variable):
            if not Path(path).exists():
                raise InvalidConfig(f"{variable} names a file that does not exist.")
            return path
    return None


def secret(variable: str) -> SecretStr:
    """Return the secret in an environment variable the caller names.

    Raises:
        InvalidInput: the variable is not set, or empty.
    """
    value = os.environ.get(variable, "").strip()
    if not value:
        raise InvalidInput(f"The environment variable {variable} is not set; put the secret there.")
    return SecretStr(value)


def variables(names: Iterable[str]) -> dict[str, str]:
    """Return the values of those of the variables named that are set."""
    return {name: os.environ[name] for name in names if os.environ.get(name)}


def sync_file() -> Path | None:
    """Return the file with a sync's settings that workers read, where one is named."""
    named = os.environ.get("PF_SYNC_CONFIG", "").strip()
    return Path(named) if named else None


def broker() -> str:
    """Return the URL of the workers' queue.

    Raises:
        InvalidConfig: the variable is not set.
    """
    url = os.environ.get("PF_SYNC_BROKER", "").strip()
    if not url:
        raise InvalidConfig("PF_SYNC_BROKER is not set; it holds a URL such as rediss://host/0.")
    return url


def store() -> ConnectionStore:
    """Open the store of connections: `PRACTICEFUSION_STORE`, else files of this user's own.

    Raises:
        InvalidConfig: the store cannot be opened, has no key, or a library is missing.
    """
    url = os.environ.get(_STORE, "").strip()
    if url.startswith("memory:"):
        return open_store(url)
    try:
        from practicefusion_connector.stores import Sealer, keys_from

        return open_store(url or _own_files(), Sealer(*keys_from(os.environ)))
    except ImportError as error:
        reason = str(error)
    raise InvalidConfig(reason)


def history_source() -> str:
    """Return the run history: `PRACTICEFUSION_HISTORY`, else a file of this user's own."""
    return os.environ.get(_HISTORY, "").strip() or str(_own_folder() / "history.jsonl")


def _own_files() -> str:
    return (_own_folder() / "connections").absolute().as_uri()


def _own_folder() -> Path:
    from platformdirs import user_data_path

    folder: Path = user_data_path("practicefusion-connector", appauthor=False)
    return folder
