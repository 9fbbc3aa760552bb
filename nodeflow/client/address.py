"""Where the server is and what opens it: from the call, the settings, or the local data folder."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from nodeflow.errors import InputError
from nodeflow.settings import DEFAULT_PORT, Settings


@dataclass(frozen=True)
class Address:
    """A server's address, with the token that it wants or an empty text."""

    url: str
    token: str = ""

    @property
    def loopback(self) -> bool:
        """Whether the server is on this machine."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def find_address(url: str | None, token: str | None) -> Address:
    """The server that is meant.

    Args:
        url: None for the one that the settings name, or else that works on our data folder;
            `http://` may be left out.
        token: None for the one in the settings. A server on this machine writes its token into the
            data folder, where it is found if it is ours to read.

    Raises:
        InputError: The URL is none.
        SettingsError: A setting is wrong.
    """
    if url is not None and token is not None:
        return Address(_complete(url), token)
    settings = Settings()
    address = Address(_complete(url or settings.server or _own_url(settings)), token or "")
    if token is None:
        given = settings.token or (_own_token(settings) if address.loopback else "")
        return Address(address.url, given)
    return address


def _own_url(settings: Settings) -> str:
    """The server that works on our own data folder; where it would be if there is none."""
    try:
        said = json.loads((settings.data / "journal" / "server.json").read_bytes())["url"]
    except (OSError, ValueError, LookupError, TypeError):
        said = ""
    return str(said) or f"http://127.0.0.1:{DEFAULT_PORT}"


def _own_token(settings: Settings) -> str:
    try:
        return (settings.data / "token").read_text(encoding="utf-8").strip()
    except OSError:
        # Most servers on loopback have none, and another user's is not ours to read.
        return ""


def _complete(url: str) -> str:
    whole = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(whole)
        fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits:
        raise InputError(
            f"'{url}' is no address of a server, such as http://127.0.0.1:{DEFAULT_PORT}"
        )
    return whole.rstrip("/")
