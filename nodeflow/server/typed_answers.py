"""Typed answers: what a run came to, as JSON or as the picture itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from nodeflow.errors import InputError
from nodeflow.job_events import JobFinished
from nodeflow.server.operation import answer
from nodeflow.server.paths import inside
from nodeflow.server.preferences import Accepts
from nodeflow.server.problems import HttpError
from nodeflow.server.result_urls import with_urls
from nodeflow.server.sending import THUMBS
from nodeflow.server.state import STATE, State
from nodeflow.server.thumbs import Format, Wanted

JSON = "application/json"
FORMATS: Mapping[str, Format] = {"image/png": "png", "image/webp": "webp", "image/jpeg": "jpeg"}
OFFERED = (JSON, *FORMATS)
_QUALITY = 90


async def finished(
    request: web.Request, event: JobFinished, accepts: Accepts, output: str, headers: dict[str, str]
) -> web.Response:
    """The answer to a run that is over.

    Args:
        output: Name of the output whose picture is wanted; empty for the first that has one.
        headers: What the answer bears beside its own.

    Raises:
        HttpError: The run failed or was cancelled, or there is no picture and one is wanted.
    """
    if event.status != "done":
        raise await _failed(request.app[STATE], event)
    headers = headers | {"Job-Id": event.job}
    if accepts.best(OFFERED) == JSON:
        body = {"id": event.job, "status": event.status, "outputs": with_urls(event.outputs)}
        return answer(body, headers=headers)
    return await _picture(request, event, accepts, output, headers)


async def _failed(state: State, event: JobFinished) -> HttpError:
    """Why a run came to nothing; trying again would not help, so it is no error of the server."""
    place = f"/api/jobs/{event.job}"
    if event.status == "cancelled":
        return HttpError(
            409,
            f"The job was cancelled before it was done; POST {place}/retry runs it again.",
            headers={"Job-Id": event.job},
            job=event.job,
            job_status=event.status,
        )
    nodes = await asyncio.to_thread(state.journal.nodes, event.job)
    failed = {name: node.sentence for name, node in nodes.items() if node.outcome == "failed"}
    return HttpError(
        422,
        event.problem or f"The job failed; 'GET {place}' says more.",
        headers={"Job-Id": event.job},
        job=event.job,
        job_status=event.status,
        nodes=failed,
    )


async def _picture(
    request: web.Request,
    event: JobFinished,
    accepts: Accepts,
    output: str,
    headers: dict[str, str],
) -> web.Response:
    state = request.app[STATE]
    file = next((file for file in _files(event, output) if _is_picture(file)), None)
    if file is None:
        what = f"The output '{output}'" if output else "The workflow"
        raise HttpError(
            406,
            f"{what} gave no picture. The job is done: 'GET /api/jobs/{event.job}' has what it "
            "gave; accept application/json to get it at once.",
            headers=headers,
            job=event.job,
        )
    result = await asyncio.to_thread(state.journal.result, file["digest"])
    if result is None:
        raise HttpError(410, f"The picture '{file['name']}' is gone from the history.")
    # A file in a format that will do is handed out as it is.
    media_type = max(FORMATS, key=lambda item: (*accepts.rank(item), item == result.media_type))
    path = await asyncio.to_thread(inside, state.outputs, result.path, "result")
    try:
        if media_type != result.media_type:
            wanted = Wanted(FORMATS[media_type], 0, _QUALITY)
            path = await request.app[THUMBS].get(path, result.digest, wanted)
        body = await asyncio.to_thread(path.read_bytes)
    except InputError as error:
        raise HttpError(
            406, f"The picture cannot be given as {media_type}: {error}.", headers=headers
        ) from error
    except OSError as error:
        raise HttpError(
            410, f"The file '{result.name}' was deleted or cannot be read since it was made."
        ) from error
    headers = headers | {"Content-Location": f"/api/results/{result.digest}", "Vary": "Accept"}
    return web.Response(body=body, content_type=media_type, headers=headers)


def _files(event: JobFinished, output: str) -> Sequence[Mapping[str, Any]]:
    """Where a picture may be: among the outputs; without any, among what end nodes saved."""
    outputs = event.outputs
    if output:
        outputs = {output: outputs.get(output, {})}
    found = [file for value in outputs.values() for file in value.get("files", ())]
    if not found and not event.outputs and not output:
        found = [file for files in event.files.values() for file in files]
    return found


def _is_picture(file: Mapping[str, Any]) -> bool:
    return str(file.get("media_type", "")).startswith("image/")
