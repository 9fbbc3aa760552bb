"""Protocol: HTTP below the handlers; what is no HTTP gets a problem object too, and no stack trace.

aiohttp answers what it cannot parse before any middleware, in plain text, and logs it as an error
of the server's.
"""

from __future__ import annotations

import logging
from typing import Any

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from nodeflow.server.headers import add_headers
from nodeflow.server.limits import Limits
from nodeflow.server.problems import HttpError

logger = logging.getLogger(__name__)


class Runner(web.AppRunner):
    """Runs an application with the limits that hold before a request is a request.

    The head of a request has `head_seconds` from the connection's start, or from the response
    before it; then the connection is closed.
    """

    __slots__ = ()

    def __init__(self, app: web.Application, limits: Limits, **options: Any) -> None:
        bounds: dict[str, Any] = {
            "keepalive_timeout": limits.head_seconds,
            "max_line_size": limits.head_bytes,
            "max_field_size": limits.head_bytes,
            # What is packed is refused; nothing may be unpacked before that.
            "auto_decompress": False,
            "access_log": None,
        }
        super().__init__(app, **(bounds | options))

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            handler_cancellation=made.handler_cancellation,
            loop=made._loop,
            **made._kwargs,
        )


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class _Connection(web.RequestHandler):
    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what failed outside of the application."""
        if not isinstance(exc, HttpProcessingError) or request.writer.output_size > 0:
            return super().handle_error(request, status, exc, message)
        logger.info("%s sent what is no request: %s", request.remote, _first_line(exc.message))
        problem = HttpError(exc.code, f"This is no good request: {_first_line(exc.message)}.")
        response = problem.response()
        add_headers(request, response)
        response.force_close()
        return response


def _first_line(text: str) -> str:
    """What aiohttp's parser says, without the bytes that it shows beneath."""
    return text.strip().partition("\n")[0].rstrip(".: ")[:200]
