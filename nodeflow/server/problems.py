"""Problems: every error that a client sees, as `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler

from nodeflow.errors import NodeflowError, Problem, StoreError, WorkflowError
from nodeflow.journal.records import KeyReusedError

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class HttpError(Exception):
    """Something the client should know; raise it anywhere below a handler.

    Args:
        status: HTTP status, 400 or above.
        detail: One sentence: what is wrong, with the value, and what to do.
        problems: Findings about a workflow, as `nodeflow check` lists them.
        headers: Further response headers.
        extra: Further members of the problem object.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        problems: Sequence[Problem] = (),
        headers: Mapping[str, str] | None = None,
        **extra: Any,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.problems = tuple(problems)
        self.headers = dict(headers or {})
        self.extra = extra

    def response(self) -> web.Response:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.problems:
            body["problems"] = [problem.as_json() for problem in self.problems]
        return web.Response(
            status=self.status,
            body=json.dumps(body | self.extra).encode(),
            content_type=MEDIA_TYPE,
            headers=self.headers,
        )


def unchecked(error: WorkflowError) -> HttpError:
    """A workflow that does not check, as the 422 with the list that `nodeflow check` prints."""
    errors = [problem for problem in error.problems if problem.severity == "error"]
    first = errors[0] if errors else error.problems[0]
    more = f" And {len(errors) - 1} more." if len(errors) > 1 else ""
    return HttpError(
        422, f"{first.line(error.source)}{more}", problems=error.problems, source=error.source
    )


@web.middleware
async def problem_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Every error as a problem object; what is our fault is logged with a number to ask for."""
    try:
        return await handler(request)
    except HttpError as problem:
        return problem.response()
    except WorkflowError as error:
        return unchecked(error).response()
    except web.HTTPException as error:
        if error.status < 400:
            raise
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return HttpError(error.status, _detail(request, error), headers=headers).response()
    except KeyReusedError as error:
        return HttpError(422, str(error)).response()
    except StoreError as error:
        return HttpError(507, str(error)).response()
    except NodeflowError as error:
        return HttpError(400, str(error)).response()
    except ConnectionError:
        raise  # the client has gone; nobody reads an answer
    except Exception:
        number = secrets.token_hex(4)
        logger.exception("Error %s at %s %s", number, request.method, request.rel_url)
        return HttpError(
            500, f"The server made a mistake; its log has it as error {number}."
        ).response()


def _detail(request: web.Request, error: web.HTTPException) -> str:
    if error.status == 404:
        return f"There is nothing at '{request.path}'; '/docs' lists what there is."
    if error.status == 405:
        allowed = error.headers.get("Allow", "other methods")
        return f"'{request.path}' takes {allowed}, not {request.method}."
    return error.text or error.reason
