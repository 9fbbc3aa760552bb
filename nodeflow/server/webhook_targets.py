"""Webhook targets: which addresses a server calls for its clients, looked at as it connects."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
from functools import partial

from aiohttp import AddrInfoType, TCPConnector
from yarl import URL

from nodeflow.server.problems import HttpError

MAX_URL = 2000
_LOOKUP_SECONDS = 5.0
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")
_TRANSLATED_LOCALLY = ipaddress.ip_network("64:ff9b:1::/48")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class ForbiddenTargetError(OSError):
    """The address belongs to this machine or its own network."""

    def __init__(self, address: str) -> None:
        sentence = f"{address} is an address of this machine or of a private network"
        super().__init__(errno.EACCES, sentence)


def is_public(address: str) -> bool:
    """Whether an address belongs to the internet, and not to this machine or its network.

    Addresses of version 6 that stand for one of version 4 are judged by that one.
    """
    try:
        found: Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo or (None, None))[1]
        if found in _TRANSLATED:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if found in _TRANSLATED_LOCALLY or found.is_site_local:
            return False
        if inner is not None:
            return is_public(str(inner))
    return found.is_global and not found.is_multicast


def read_target(url: str) -> URL:
    """A webhook's address.

    Raises:
        HttpError: 422, it is none that can be called.
    """
    shown = url if len(url) <= 80 else f"{url[:77]}..."
    if len(url) > MAX_URL:
        raise HttpError(422, f"The webhook '{shown}' has more than {MAX_URL} characters.")
    try:
        found = URL(url)
        fine = found.scheme in ("http", "https") and bool(found.host) and found.port is not None
    except ValueError:
        fine = False
    if not fine or not url.isprintable() or " " in url:
        raise HttpError(
            422, f"The webhook '{shown}' is no address such as https://example.org/done."
        )
    if found.user is not None or found.password is not None:
        raise HttpError(
            422,
            "The webhook has a user or password in its address; leave it out and check the "
            "signature instead.",
        )
    return found


async def check_target(url: str, *, private: bool) -> None:
    """See that a webhook may be called, as far as it can be said now.

    Args:
        private: Addresses of this machine and its network are fine too.

    Raises:
        HttpError: 422, it may not.
    """
    target = read_target(url)
    if private or target.host is None:
        return
    try:
        async with asyncio.timeout(_LOOKUP_SECONDS):
            found = await asyncio.get_running_loop().getaddrinfo(
                target.host, target.port, type=socket.SOCK_STREAM
            )
    except (OSError, TimeoutError, UnicodeError):
        # A name that is not known now may be when the job is over.
        return
    addresses = [str(entry[4][0]) for entry in found]
    if not any(map(is_public, addresses)):
        raise HttpError(
            422,
            f"The webhook '{target.host}' leads to {addresses[0]}, an address of this machine or "
            "of a private network; this server calls only public ones.",
        )


def connector(*, private: bool) -> TCPConnector:
    """Connections that refuse forbidden addresses at the last moment, whatever a name meant before.

    Args:
        private: None is forbidden.
    """
    return TCPConnector(
        limit=32, force_close=True, socket_factory=partial(_open_socket, private=private)
    )


def _open_socket(target: AddrInfoType, *, private: bool) -> socket.socket:
    family, kind, protocol, _, address = target
    if not private and not is_public(str(address[0])):
        raise ForbiddenTargetError(str(address[0]))
    return socket.socket(family=family, type=kind, proto=protocol)
