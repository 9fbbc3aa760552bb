"""Headers that every response bears, so that a browser does no more than a page was written for."""

from __future__ import annotations

import secrets

from aiohttp import web

NONCE = web.RequestKey("nonce", str)

_POLICY = (
    "default-src 'self'",
    "img-src 'self' blob: data:",
    "style-src 'self'{nonce}",
    "object-src 'none'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
)

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def nonce(request: web.Request) -> str:
    """The word that `<style nonce="...">` bears in the page that answers this request."""
    if NONCE not in request:
        request[NONCE] = secrets.token_urlsafe(16)
    return request[NONCE]


async def on_prepare(request: web.Request, response: web.StreamResponse) -> None:
    """`add_headers`, for `app.on_response_prepare`."""
    add_headers(request, response)


def add_headers(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Put the headers on a response.

    What a handler has set stays, but for the policy and `nosniff`, which no page may loosen.
    """
    word = request.get(NONCE)
    policy = "; ".join(_POLICY).format(nonce=f" 'nonce-{word}'" if word else "")
    response.headers["Content-Security-Policy"] = policy
    response.headers["X-Content-Type-Options"] = "nosniff"
    for name, value in _ALWAYS.items():
        response.headers.setdefault(name, value)
