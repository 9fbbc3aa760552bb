"""Preconditions: `If-Match` and `If-None-Match` as RFC 9110, section 13, means them."""

from __future__ import annotations

import hashlib
import re

from nodeflow.server.problems import HttpError

_TAG = re.compile(r'\s*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")\s*(?:,|$)')


def etag_of(text: bytes) -> str:
    """A strong tag of a text, without quotation marks."""
    return hashlib.blake2b(text, digest_size=16).hexdigest()


def quoted(etag: str) -> str:
    """A tag as it stands in a header."""
    return f'"{etag}"'


def _tags(header: str, name: str) -> list[str]:
    """The tags of a header.

    Raises:
        HttpError: 400, it is no list of tags.
    """
    found, place = [], 0
    while place < len(header):
        match = _TAG.match(header, place)
        if match is None:
            raise HttpError(
                400, f'{name} is {header[:80]!r}; write tags as they came, such as "5f0c".'
            )
        found.append(match[1])
        place = match.end()
    return found


def is_fresh(if_none_match: str | None, etag: str) -> bool:
    """Whether the client has the text of this tag already: the answer is 304."""
    if if_none_match is None:
        return False
    if if_none_match.strip() == "*":
        return True
    tags = _tags(if_none_match, "If-None-Match")
    return quoted(etag) in [tag.removeprefix("W/") for tag in tags]


def require(what: str, current: str, if_match: str | None, if_none_match: str | None) -> None:
    """See that a writer knows what it writes over.

    Args:
        what: What is written, for the sentence: `The workflow 'cat'`.
        current: Tag of what is there; empty if there is nothing.

    Raises:
        HttpError: 412 with the current tag if a condition fails; 428 if there is something and
            no condition was sent.
    """
    headers = {"ETag": quoted(current)} if current else {}
    if if_match is not None:
        matches = if_match.strip() == "*" or quoted(current) in _tags(if_match, "If-Match")
        if not current or not matches:
            state = "was changed meanwhile" if current else "does not exist, or no longer"
            way_out = "read it again and bring both together" if current else "leave out If-Match"
            raise HttpError(412, f"{what} {state}; {way_out}.", headers=headers, etag=current)
    if current and is_fresh(if_none_match, current):
        raise HttpError(
            412,
            f"{what} exists already; take another name, or send If-Match with its ETag.",
            headers=headers,
            etag=current,
        )
    if current and if_match is None:
        raise HttpError(
            428,
            f"{what} exists; send If-Match with the ETag that you read, so that nothing of "
            "somebody else's is lost.",
            headers=headers,
            etag=current,
        )
