"""What schemathesis makes of `/openapi.json`: nothing is a mistake, no answer lies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from nodeflow.server.app import ROUTES
from nodeflow.server.operation import MARK
from tests.server.conftest import Served
from tests.server.shelf_tools import ask, running_server, save

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
MODES = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
EXAMPLES = 20

LEFT_OUT = {"/api/events"}
"""Its answers have no end."""

NAMED = "/api/workflows/sums/run"
"""A saved workflow, whose types are those of its nodes."""


def operations() -> list[tuple[str, str]]:
    """Method and path of every route that is described, and of the saved workflow."""
    found = [
        (definition.method, re.sub(r"\{(\w+):[^}]*\}", r"{\1}", definition.path))
        for module in ROUTES
        for definition in module.routes
        if hasattr(definition.handler, MARK)
    ]
    return [*(item for item in found if item[1] not in LEFT_OUT), ("POST", NAMED)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, known_specs: Path) -> Iterator[Served]:
    with running_server(tmp_path_factory.mktemp("fuzzed"), known_specs) as found:
        yield found


@pytest.fixture(scope="module")
def described(server: Served) -> Any:
    """The document, with a saved workflow in it."""
    save(
        server,
        "sums",
        {
            "nodes": {"sum": {"type": "tools.add"}, "few": {"type": "tools.limited"}},
            "inputs": {"a": {"node": "sum", "input": "a"}, "few": {"node": "few", "input": "a"}},
            "outputs": {"sum": {"node": "sum"}, "few": {"node": "few"}},
        },
    )
    config = schemathesis.Config.from_dict({"seed": 1})
    return schemathesis.openapi.from_dict(ask(server, "GET", "/openapi.json").json, config=config)


def known(server: Served) -> dict[str, str]:
    """Parts of paths that lead to something: no guess would ever find a job or a result."""
    writing = {"w": {"type": "tools.write", "inputs": {"a": 1}}}
    done = server.finished(server.submit({"nodeflow": 1, "name": "w", "nodes": writing}))
    digest = done["files"]["w"][0]["digest"]
    return {"id": done["id"], "digest": digest, "path": "sums", "type": "tools.add"}


@pytest.mark.parametrize(("method", "path"), operations())
def test_no_request_is_the_servers_mistake_and_every_answer_is_as_described(
    server: Served, described: Any, method: str, path: str
) -> None:
    server.ask("PATCH", "/api/queue", {"paused": False})  # another operation may have paused it
    places = known(server)
    wanted, unwanted = (described[path][method].as_strategy(generation_mode=mode) for mode in MODES)

    @settings(
        max_examples=EXAMPLES,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=wanted | unwanted, found=st.booleans())
    def send(case: Any, found: bool) -> None:
        if found:
            named = case.path_parameters or {}
            case.path_parameters = {name: places.get(name, named[name]) for name in named}
        reply = case.call(server.url, timeout=20, allow_redirects=False)
        case.validate_response(reply, checks=CHECKS)
        if reply.status_code >= 400:
            assert reply.headers["content-type"] == ["application/problem+json"]
            assert reply.json()["detail"]

    send()


def test_after_all_of_it_the_server_lives_and_its_log_has_no_error(server: Served) -> None:
    assert server.ask("GET", "/healthz")[0] == 200
    log = (server.folder / "data" / "logs" / "server.log").read_text()
    for text in (server.errors(), log):
        assert "ERROR" not in text
        assert "Traceback" not in text
