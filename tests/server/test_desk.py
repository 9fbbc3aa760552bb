from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from nodeflow.errors import WorkflowError
from nodeflow.server.limits import Limits
from nodeflow.server.problems import HttpError
from nodeflow.server.submitting import Prepared, SubmitText
from nodeflow.workflow import Workflow
from tests.server.desk_tools import (
    Pinger,
    Shop,
    chain,
    document,
    given,
    helped,
    open_shop,
    shop,
    text_of,
)

__all__ = ["helped", "shop"]


def texts(prepared: Prepared) -> list[str]:
    return [item.text or Path(item.file).read_text() for item in prepared.documents]


async def test_a_short_body_becomes_a_document_in_memory(shop: Shop) -> None:
    prepared = await shop.desk.prepare(given(workflow=document(), inputs={"first": 7}, priority=3))
    (made,) = prepared.documents
    assert Workflow.parse(made.text).nodes["sum"].inputs == {"a": 7, "b": 2}
    assert (made.nodes, prepared.name, prepared.body.priority) == (1, "adding", 3)
    assert prepared.body.inputs == {"first": 7}
    assert shop.left == []


async def test_the_same_request_has_the_same_fingerprint_and_document(shop: Shop) -> None:
    bodies = [given(workflow=document()), given(workflow=document()), given(workflow=chain(2))]
    one, same, other = [await shop.desk.prepare(body) for body in bodies]
    assert one.fingerprint == same.fingerprint != other.fingerprint
    assert one.documents == same.documents
    again = await shop.desk.prepare(given(workflow=document(), priority=1))
    assert again.fingerprint != one.fingerprint
    assert again.documents == one.documents


@pytest.mark.parametrize("where", ["shop", "helped"])
@pytest.mark.parametrize("large", [False, True])
async def test_a_named_workflow_is_looked_up(where: str, large: bool, tmp_path: Path) -> None:
    async with open_shop(tmp_path, helper=where == "helped") as shop:
        shop.saved["cats/one"] = text_of(document(note="x" * 40_000 if large else ""))
        prepared = await shop.desk.prepare(given(path="cats/one", inputs={"sum.b": 9}))
        assert Workflow.parse(texts(prepared)[0]).nodes["sum"].inputs == {"a": 1, "b": 9}
        assert prepared.body.path == "cats/one"
        with pytest.raises(HttpError, match="no workflow 'dogs'") as missing:
            await shop.desk.prepare(given(path="dogs"))
        assert missing.value.status == 404
        # A large body may name one too.
        spilled = shop.spill({"path": "cats/one", "inputs": {"sum.b": 4}})
        assert (
            Workflow.parse(texts(await shop.desk.prepare(spilled))[0]).nodes["sum"].inputs["b"] == 4
        )
        assert shop.left == []


async def test_a_named_workflow_may_be_a_file_that_stays(helped: Shop, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    file.write_bytes(text_of(document()))
    helped.saved["kept"] = file
    assert (await helped.desk.prepare(given(path="kept"))).name == "adding"
    assert file.exists()


@pytest.mark.parametrize("padding", [0, 50_000])
async def test_a_workflow_may_come_beside_the_body(helped: Shop, padding: int) -> None:
    workflow = json.dumps(document(note="x" * padding))
    body = SubmitText(b'{"inputs": {"first": 3}}', workflow=workflow, source="cats/two")
    prepared = await helped.desk.prepare(body)
    assert Workflow.parse(texts(prepared)[0]).nodes["sum"].inputs["a"] == 3
    bad = SubmitText(b"{}", workflow=workflow.replace("tools.add", "tools.ad"), source="cats/two")
    with pytest.raises(WorkflowError, match="unknown_type"):
        await helped.desk.prepare(bad)
    with pytest.raises(HttpError, match="has 'path', but 'workflow' is meant"):
        await helped.desk.prepare(SubmitText(b'{"path": "x"}', workflow=workflow))
    assert helped.left == []


@pytest.mark.parametrize("where", ["shop", "helped"])
async def test_what_is_wrong_is_said_alike_wherever_it_is_found(where: str, tmp_path: Path) -> None:
    bad = document({"a": {"type": "tools.ad"}, "b": {"type": "tools.add", "inputs": {"a": "x"}}})
    async with open_shop(tmp_path, helper=where == "helped") as shop:
        for body in (given(workflow=bad), shop.spill({"workflow": bad})):
            with pytest.raises(WorkflowError) as refused:
                await shop.desk.prepare(body)
            errors = [item for item in refused.value.problems if item.severity == "error"]
            assert [item.code for item in errors] == ["unknown_type", "wrong_value"]
            assert refused.value.source == "adding"
        for body in (given(workflow=bad), shop.spill({"workflow": bad}), shop.spill(bad)):
            problems = [item.pointer for item in await shop.desk.check(body)]
            # The last says that nothing of it is wanted.
            assert problems == ["/nodes/a/type", "/nodes/b/inputs/a", ""]
        for body in (SubmitText(b"{"), shop.spill(b"{")):
            with pytest.raises(HttpError, match="The body is no JSON") as unread:
                await shop.desk.prepare(body)
            assert unread.value.status == 400
        assert await shop.desk.check(given(workflow=document())) == []
        assert shop.left == []


async def test_a_small_body_that_stands_for_much_work_goes_to_the_helper(helped: Shop) -> None:
    group = {"nodes": {"n": {"type": "tools.number"}}, "outputs": {"o": {"node": "n"}}}
    many = {"type": "group:g", "repeat": {"times": 3000}}
    body = given(workflow=document({"many": many}, groups={"g": group}))
    async with Pinger() as pinger:
        assert (await helped.desk.prepare(body)).documents[0].nodes == 3000
    assert pinger.worst < 0.2


async def test_a_large_batch_is_kept_in_files_until_the_journal_has_it(helped: Shop) -> None:
    workflow = chain(40, padding=100)
    workflow["nodes"]["noise"] = {"type": "dice.roll", "inputs": {"seed": 1}}
    prepared = await helped.desk.prepare(given(workflow=workflow, batch=200))
    assert len({item.digest for item in prepared.documents}) == 200
    files = [item.file for item in prepared.documents if item.file]
    assert sum(len(item.text) for item in prepared.documents) <= 256 * 1024
    assert len(helped.left) == len(files) > 100
    for item, text in zip(prepared.documents, texts(prepared), strict=True):
        assert bool(item.text) != bool(item.file)
        assert Workflow.parse(text).nodes["noise"].inputs["seed"] in range(1, 201)
    await helped.desk.clear(prepared)
    assert helped.left == []


async def test_fifty_megabytes_hold_nobody_up(helped: Shop) -> None:
    body = helped.spill({"workflow": chain(2000, padding=25_000)})
    assert body.file is not None
    assert body.file.stat().st_size > 50_000_000
    small = given(workflow=document())
    await helped.desk.prepare(small)
    waits: list[float] = []
    clock = asyncio.get_running_loop().time
    async with Pinger() as pinger:
        large = asyncio.create_task(helped.desk.prepare(body))
        while not large.done():
            before = clock()
            await helped.desk.prepare(small)
            waits.append(clock() - before)
            await asyncio.sleep(0.01)
    (made,) = (await large).documents
    assert (made.nodes, made.text) == (2000, "")
    assert Path(made.file).stat().st_size > 50_000_000
    # The aim is 20 ms on an idle machine; what a thread does here is 600 ms and more.
    assert pinger.worst < 0.15
    assert len(waits) > 5
    assert sorted(waits)[len(waits) // 2] < 0.05


async def test_small_work_passes_large_work_in_the_helper(helped: Shop) -> None:
    await helped.desk.prepare(helped.spill({"workflow": document()}))
    large = helped.spill({"workflow": chain(2000, padding=10_000)})
    order: list[str] = []

    async def do(name: str, body: SubmitText) -> None:
        await helped.desk.prepare(body)
        order.append(name)

    async with asyncio.TaskGroup() as group:
        group.create_task(do("large", large))
        await asyncio.sleep(0.05)
        group.create_task(do("small", helped.spill({"workflow": document()})))
    assert order == ["small", "large"]


async def test_if_the_helper_dies_the_request_is_told_and_the_next_one_works(helped: Shop) -> None:
    await helped.desk.prepare(helped.spill({"workflow": document()}))
    assert helped.process is not None
    first = helped.process.pid
    assert first is not None
    large = helped.spill({"workflow": chain(2000, padding=10_000)})
    waiting = asyncio.create_task(helped.desk.prepare(large))
    await asyncio.sleep(0.1)
    os.kill(first, signal.SIGKILL)
    with pytest.raises(HttpError, match=r"could not be prepared: .*Send it again") as died:
        await waiting
    assert (died.value.status, died.value.headers["Retry-After"]) == (503, "1")
    assert large.file is not None
    assert not large.file.exists()
    assert (await helped.desk.prepare(helped.spill({"workflow": document()}))).name == "adding"
    assert helped.process.pid != first


async def test_a_client_that_goes_away_meanwhile_leaves_no_document(helped: Shop) -> None:
    await helped.desk.prepare(helped.spill({"workflow": document()}))
    large = helped.spill({"workflow": chain(1000, padding=2_000)})
    waiting = asyncio.create_task(helped.desk.prepare(large))
    async with asyncio.timeout(30):
        while not any(name.endswith(".json") for name in helped.left):
            assert not waiting.done()
            await asyncio.sleep(0)
        waiting.cancel()
        while helped.left:
            await asyncio.sleep(0.01)


async def test_what_was_left_by_a_crash_is_removed_at_the_start(tmp_path: Path) -> None:
    incoming = tmp_path / "data" / "journal" / "incoming"
    incoming.mkdir(parents=True)
    (incoming / "half.body").write_bytes(b"{")
    async with open_shop(tmp_path) as shop:
        assert shop.left == []


@pytest.mark.parametrize("where", ["shop", "helped"])
async def test_the_limit_of_nodes_holds_everywhere(where: str, tmp_path: Path) -> None:
    async with open_shop(tmp_path, helper=where == "helped", limits=Limits(nodes=30)) as shop:
        bodies: list[Any] = [given(workflow=chain(31)), shop.spill({"workflow": chain(31)})]
        for body in bodies:
            with pytest.raises(WorkflowError, match="more than 30 nodes"):
                await shop.desk.prepare(body)
        await shop.desk.prepare(given(workflow=chain(30)))
