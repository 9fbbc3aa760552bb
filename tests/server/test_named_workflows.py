from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from nodeflow.journal.journal import Journal
from nodeflow.journal.records import Document, NewJob
from nodeflow.server.named_workflows import NamedWorkflows
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf import Shelf
from nodeflow.server.submitting import SubmitBody
from tests.server.desk_tools import document, text_of


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


@pytest.fixture
def find(journal: Journal, tmp_path: Path) -> NamedWorkflows:
    return NamedWorkflows(Shelf(tmp_path / "workflows", None, journal), journal)


async def test_a_saved_workflow_is_found_by_its_path(find: NamedWorkflows, tmp_path: Path) -> None:
    folder = tmp_path / "workflows" / "cats"
    folder.mkdir(parents=True)
    (folder / "one.json").write_bytes(text_of(document()))
    assert await find(SubmitBody(path="cats/one")) == text_of(document())
    for path in ("cats/two", "../secret", "/etc/passwd"):
        with pytest.raises(HttpError) as missing:
            await find(SubmitBody(path=path))
        assert missing.value.status in (400, 404), path


async def test_the_workflow_of_a_job_is_found_in_memory_or_as_a_file(
    find: NamedWorkflows, journal: Journal, tmp_path: Path
) -> None:
    long = tmp_path / "long.json"
    long.write_text("x" * 100_000)
    jobs = [
        NewJob("short", "a", Document("1" * 32, text="{}", nodes=1)),
        NewJob("long", "b", Document("2" * 32, file=str(long), nodes=1)),
    ]
    journal.submit(jobs).result(10)
    assert await find(SubmitBody(job="short")) == b"{}"
    found = await find(SubmitBody(job="long"))
    assert isinstance(found, Path)
    assert found.read_text() == "x" * 100_000


async def test_a_job_that_is_not_there_is_404(find: NamedWorkflows) -> None:
    with pytest.raises(HttpError, match="There is no job 'none'") as missing:
        await find(SubmitBody(job="none"))
    assert missing.value.status == 404
