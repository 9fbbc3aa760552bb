"""`/api/nodes`: every node that there is, as data."""

from __future__ import annotations

import difflib

from aiohttp import web
from pydantic import BaseModel

from nodeflow.pack_specs import SocketSpec
from nodeflow.server.operation import Answer, answer, operation
from nodeflow.server.problems import HttpError
from nodeflow.server.state import STATE
from nodeflow.spec import NodeSpec

routes = web.RouteTableDef()


class PackFault(BaseModel):
    """Why a pack cannot be used, or not as it is today."""

    pack: str
    sentence: str
    trace: str


class Nodes(BaseModel):
    """Everything that the packs declare.

    Attributes:
        nodes: By id.
        sockets: By name.
        errors: A pack that stopped working has the nodes of its last version that did.
        pending: Packs that no worker has read yet, as they are today.
    """

    nodes: dict[str, NodeSpec]
    sockets: dict[str, SocketSpec]
    errors: list[PackFault]
    pending: list[str]


@routes.get("/api/nodes")
@operation(
    "List all nodes and socket types",
    tag="nodes",
    headers={"If-None-Match": "The ETag of what is known; nothing is sent if it is the same."},
    answers={
        200: Answer("Nodes, socket types, and packs that cannot be used.", Nodes),
        304: Answer("Nothing has changed."),
    },
)
async def list_nodes(request: web.Request) -> web.StreamResponse:
    """Nothing is imported for it. If a pack was never read, the answer waits for a worker to do so.

    The event `nodes_changed` tells when to ask again.
    """
    catalog = request.app[STATE].catalog
    await catalog.known()
    listing = catalog.listing
    packed = "gzip" in request.headers.get("Accept-Encoding", "").lower()
    etag = f"{listing.etag}-gzip" if packed else listing.etag
    headers = {"ETag": f'"{etag}"', "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if any(item.value in (etag, "*") for item in request.if_none_match or ()):
        return web.Response(status=304, headers=headers)
    if packed:
        headers["Content-Encoding"] = "gzip"
    body = listing.packed if packed else listing.body
    return web.Response(body=body, content_type="application/json", headers=headers)


@routes.get("/api/nodes/{type}")
@operation(
    "Describe one node",
    tag="nodes",
    answers={
        200: Answer("The node's inputs and outputs.", NodeSpec),
        404: Answer("No pack provides such a node."),
    },
)
async def show_node(request: web.Request) -> web.StreamResponse:
    """An earlier id of a node will do too."""
    catalog = request.app[STATE].catalog
    await catalog.known()
    name = request.match_info["type"]
    spec = catalog.registry.find(name)
    if spec is None:
        near = difflib.get_close_matches(name, catalog.registry.specs, n=1)
        hint = f"Did you mean '{near[0]}'?" if near else "GET /api/nodes lists all there are."
        raise HttpError(404, f"No pack provides a node '{name}'. {hint}")
    return answer(spec)
