"""Preferences: what a client says in `Prefer` (RFC 7240) and in `Accept` (RFC 9110)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nodeflow.server.problems import HttpError

_LONGEST_WAIT = 86_400.0
_PREFERENCE = re.compile(r'^([!#$%&\'*+.^_`|~\w-]+)(?:\s*=\s*(?:"([^"]*)"|([^\s;]*)))?\s*(?:;|$)')
_RANGE = re.compile(r"^([!#$&^_.+\w*-]+)/([!#$&^_.+\w*-]+)$")


@dataclass(frozen=True)
class Patience:
    """How long a client waits for a job.

    Attributes:
        seconds: After so long it takes the job itself; None: it waits until the job is over.
        applied: What of its wishes was followed, for `Preference-Applied`.
    """

    seconds: float | None
    applied: str = ""


def patience(headers: Iterable[str]) -> Patience:
    """What `Prefer` says of waiting: `respond-async`, `wait=N`, or both; the rest is ignored."""
    found: dict[str, str] = {}
    for item in ",".join(headers).split(","):
        match = _PREFERENCE.match(item.strip())
        if match:
            # The first one counts if a preference is stated twice.
            found.setdefault(match[1].lower(), match[2] or match[3] or "")
    wait = found.get("wait", "")
    if re.fullmatch(r"[0-9]{1,9}", wait, re.ASCII):
        applied = f"respond-async, wait={wait}" if "respond-async" in found else f"wait={wait}"
        return Patience(min(float(wait), _LONGEST_WAIT), applied)
    if "respond-async" in found:
        return Patience(0.0, "respond-async")
    return Patience(None)


@dataclass(frozen=True)
class Accepts:
    """The media types that a client takes.

    Attributes:
        ranges: (type, subtype, quality); an empty list takes everything.
    """

    ranges: Sequence[tuple[str, str, float]] = ()

    @classmethod
    def of(cls, header: str | None) -> Accepts:
        found: list[tuple[str, str, float]] = []
        for item in (header or "").split(","):
            media_type, *parameters = (part.strip() for part in item.lower().split(";"))
            match = _RANGE.match(media_type)
            if match:
                found.append((match[1], match[2], _quality(parameters)))
        return cls(found)

    def rank(self, media_type: str) -> tuple[float, int]:
        """How much a type is wanted: its quality, and how exactly it was named."""
        if not self.ranges:
            return 1.0, 0
        kind, _, inner = media_type.partition("/")
        matching = [
            ((range_kind != "*") + (range_inner != "*"), quality)
            for range_kind, range_inner, quality in self.ranges
            if range_kind in ("*", kind) and range_inner in ("*", inner)
        ]
        exactness, quality = max(matching, default=(0, 0.0))
        return quality, exactness

    def best(self, offered: Sequence[str]) -> str:
        """What is wanted most of what there is; the first of several.

        Raises:
            HttpError: 406, nothing of it.
        """
        best = max(offered, key=self.rank)
        if self.rank(best)[0] <= 0:
            raise HttpError(
                406, f"This is given as {', '.join(offered)}; put one of them into Accept."
            )
        return best


def _quality(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return min(1.0, max(0.0, float(value)))
            except ValueError:
                return 0.0
    return 1.0
