"""Access: who may speak to a server, under which names, and from which pages."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from nodeflow.errors import SettingsError
from nodeflow.server.guesses import Guesses
from nodeflow.server.origins import Origin, Place, host_name, origin_of, read_host, read_origin
from nodeflow.server.tokens import cookie_name, keep_token, same_token

_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_ANY = ("", "0.0.0.0", "::")


@dataclass(frozen=True)
class Access:
    """Who may do what.

    Attributes:
        hosts: Names and addresses under which the server may be asked for.
        origins: Pages of other servers that may use this one.
        token: What everybody has to show; None if nobody has to.
        secure: Whether the server speaks TLS.
        guesses: Wrong tokens that were given on the login page.
    """

    hosts: frozenset[str] = _LOCAL
    origins: frozenset[Origin] = frozenset()
    token: str | None = None
    secure: bool = False
    guesses: Guesses = field(default_factory=Guesses, compare=False, repr=False)

    @classmethod
    def of(
        cls,
        bind: str,
        data: Path,
        *,
        secure: bool = False,
        allow_hosts: Iterable[str] = (),
        allow_origins: Iterable[str] = (),
        always_token: bool = False,
    ) -> Access:
        """What follows from the address that a server listens on.

        Args:
            bind: Address or name; whatever is not this computer's own loopback needs a token.
            data: Folder in which the token is kept.
            secure: Whether the server speaks TLS.
            allow_hosts: Further names under which it may be asked for, as `--allow-host` gives.
            allow_origins: Further origins whose pages may use it, as `--allow-origin` gives.
            always_token: Ask for the token on loopback too.

        Raises:
            SettingsError: A host or origin is none, or the token file cannot be used.
        """
        hosts = set(_LOCAL)
        if bind not in _ANY and (name := host_name(bind)) is not None:
            hosts.add(name)
        for text in allow_hosts:
            # An address of version 6 is written with brackets in a header, but by few people.
            place = read_host(text) or read_host(f"[{text}]")
            if place is None or place.port is not None:
                raise SettingsError(
                    f"--allow-host cannot be '{text}': give a name such as render.example.org, "
                    "without scheme and port."
                )
            hosts.add(place.name)
        origins = {_origin(text) for text in allow_origins}
        wanted = always_token or not is_loopback(bind)
        token = keep_token(data) if wanted else None
        return cls(frozenset(hosts), frozenset(origins), token, secure)

    @property
    def scheme(self) -> str:
        return "https" if self.secure else "http"

    @property
    def cookie(self) -> str:
        """Name of the cookie that holds the token."""
        return cookie_name(self.token or "")

    def knows(self, place: Place, reached: str) -> bool:
        """Whether the server may be asked for under this name.

        Args:
            reached: The address at which the connection came in. A page of a foreign name that
                was made to lead here (DNS rebinding) names its own name, never an address.
        """
        return place.name in self.hosts or place.name == host_name(reached)

    def welcomes(self, origin: Origin, place: Place) -> bool:
        """Whether pages of an origin may use the server that is asked for as `place`."""
        return origin == origin_of(self.scheme, place) or origin in self.origins

    def admits(self, given: str | None) -> bool:
        """Whether this token is the right one, or none is needed."""
        if self.token is None:
            return True
        return given is not None and same_token(given, self.token)


def is_loopback(bind: str) -> bool:
    """Whether only this computer can reach an address."""
    try:
        return ipaddress.ip_address(bind.strip("[]")).is_loopback
    except ValueError:
        return bind.lower().rstrip(".") == "localhost"


def _origin(text: str) -> Origin:
    origin = read_origin(text.rstrip("/"))
    if origin is None:
        raise SettingsError(
            f"--allow-origin cannot be '{text}': give one such as https://render.example.org."
        )
    return origin
