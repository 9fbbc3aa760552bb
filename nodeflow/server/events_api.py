"""`/api/events`: all that happens, from any point on, as WebSocket or Server-Sent Events."""

from __future__ import annotations

from typing import Annotated

from aiohttp import web
from pydantic import BaseModel, Field, ValidationError

from nodeflow.server.event_socket import watch_by_socket
from nodeflow.server.event_stream import watch_by_stream
from nodeflow.server.operation import Answer, operation, read_query, sentences
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.server.watcher import Want

routes = web.RouteTableDef()

Number = Annotated[int, Field(ge=0, le=2**53 - 1)]


class EventsQuery(BaseModel):
    """Which events are wanted."""

    after: Number | None = Field(
        None, description="Number of the last event that you have; without it, from now on."
    )
    job: str = Field("", max_length=100, description="Only events of this job.")
    previews: bool = Field(
        False, description="Send pictures of unfinished work too, as binary WebSocket frames."
    )


class LastEvent(BaseModel):
    """What an `EventSource` sends when it comes back."""

    number: Number | None = Field(None, alias="Last-Event-ID")


@routes.get("/api/events", allow_head=False)
@operation(
    "Watch what happens",
    tag="events",
    query=EventsQuery,
    headers={"Last-Event-ID": "Same as `after`, for Server-Sent Events; goes before it."},
    answers={
        101: Answer('A WebSocket of text frames `{"events": [...]}`, if one was asked for.'),
        200: Answer("Server-Sent Events, each with its number as id.", str, "text/event-stream"),
    },
)
async def watch_events(request: web.Request) -> web.StreamResponse:
    """All events after a number, each once and in order, then each as it happens.

    The first frame is `{"events": [], "after": N, "last": M}`. It has `"gap": true` if events after
    N are no longer kept, or if N is above the number of the last event, M: read the jobs anew then.
    Progress has no `seq`: it is not kept, and only the newest of a node is sent.

    A preview is a binary frame: four bytes with the length of a JSON head, big-endian, then the
    head `{"job", "node", "media_type"}`, then the picture. `{"previews": false}`, sent as text,
    ends them. A client that does not read is closed with code 4008 and the reason "resume from N".
    """
    query = read_query(request, EventsQuery)
    hub = request.app[STATE].hub
    hub.admit()
    if request.headers.get("Upgrade", "").strip().lower() == "websocket":
        return await watch_by_socket(request, hub, Want(query.after, query.job, query.previews))
    return await watch_by_stream(request, hub, Want(_last_event(request, query), query.job))


def _last_event(request: web.Request, query: EventsQuery) -> int | None:
    text = request.headers.get("Last-Event-ID", "")
    if not text:
        return query.after
    try:
        return LastEvent.model_validate_strings({"Last-Event-ID": text}).number
    except ValidationError as error:
        raise HttpError(400, sentences(error, "the headers")) from error
