"""Hosts and origins as browsers send them, read strictly: what is not clear is nobody's."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

_HOST = re.compile(
    r"(?P<name>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?)"
    r"(?::(?P<port>[0-9]{1,5}))?"
)
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Place:
    """Name and port that a `Host` header names; names are in lower case, addresses in one form."""

    name: str
    port: int | None = None


@dataclass(frozen=True)
class Origin:
    """Where a page comes from: two pages may touch each other only if all three are equal."""

    scheme: str
    name: str
    port: int

    def __str__(self) -> str:
        name = f"[{self.name}]" if ":" in self.name else self.name
        usual = _PORTS.get(self.scheme) == self.port
        return f"{self.scheme}://{name}" if usual else f"{self.scheme}://{name}:{self.port}"


def read_host(text: str) -> Place | None:
    """The place that a `Host` header names; None if it is none."""
    found = _HOST.fullmatch(text)
    if found is None:
        return None
    name = host_name(found["name"])
    port = int(found["port"]) if found["port"] else None
    if name is None or (port is not None and not 0 < port < 65536):
        return None
    return Place(name, port)


def host_name(text: str) -> str | None:
    """A name or an address in the one form that is compared; None for an address that is none."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        # What has brackets or colons can only be an address, and this is no good one.
        return None if bare is not text or ":" in text else text.lower().removesuffix(".")
    # A socket for both versions tells the addresses of version 4 as those of version 6.
    return str(getattr(address, "ipv4_mapped", None) or address)


def read_origin(text: str) -> Origin | None:
    """The origin that an `Origin` header names; None for `null` and for what is none."""
    scheme, mark, rest = text.partition("://")
    scheme = scheme.lower()
    place = read_host(rest) if mark and scheme in _PORTS else None
    return origin_of(scheme, place) if place is not None else None


def origin_of(scheme: str, place: Place) -> Origin:
    """The origin of pages that come from a place."""
    return Origin(scheme, place.name, place.port or _PORTS[scheme])
