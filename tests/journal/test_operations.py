from __future__ import annotations

import pytest

from nodeflow.errors import NodeflowError, StoreError
from nodeflow.journal.journal import Journal
from nodeflow.journal.operations import VERSIONS_KEPT
from nodeflow.journal.records import Document, KeyReusedError, NewJob, Once
from tests.journal.conftest import OpenJournal
from tests.journal.journal_tools import TEXT, Clock, finish, new_job, start, submit


def test_a_submitted_job_is_there_as_it_was_handed_in(journal: Journal, clock: Clock) -> None:
    job = NewJob(
        "j1",
        "portrait",
        Document("d1", TEXT, nodes=7),
        path="faces/one.json",
        inputs={"seed": 3, "text": "grün", "size": [1, 2.5, None]},
        only=("a", "b"),
        priority=-4,
        batch="b1",
        webhook="http://localhost/done",
        parent="j0",
    )

    submitted = journal.submit([job]).result()
    record = journal.job("j1")

    assert record is not None
    assert submitted.new
    assert (record.number, record.name, record.path) == (1, "portrait", "faces/one.json")
    assert (record.status, record.priority, record.position) == ("queued", -4, 1.0)
    assert record.inputs == {"seed": 3, "text": "grün", "size": [1, 2.5, None]}
    assert list(record.only) == ["a", "b"]
    assert (record.batch, record.parent, record.webhook) == ("b1", "j0", "http://localhost/done")
    assert (record.submitted, record.started, record.finished) == (clock.now, None, None)
    assert (record.document, record.nodes, record.attempts) == ("d1", 7, 0)
    assert submitted.jobs[0].id == record.id
    assert submitted.jobs[0].number == record.number


def test_an_unknown_job_is_none(journal: Journal) -> None:
    assert journal.job("j1") is None
    assert journal.nodes("j1") == {}


def test_jobs_of_one_request_stand_in_the_queue_in_its_order(journal: Journal) -> None:
    submit(journal, "c", "a", "b")

    assert [job.id for job in journal.unfinished()] == ["c", "a", "b"]
    assert [job.position for job in journal.unfinished()] == [1.0, 2.0, 3.0]


def test_a_new_job_stands_behind_one_that_was_moved_to_the_end(journal: Journal) -> None:
    submit(journal, "a", "b")
    journal.append([{"event": "job_moved", "job": "a", "priority": 0, "position": 7.5}]).result()

    assert submit(journal, "c")[0].position == 8.5
    assert [job.id for job in journal.unfinished()] == ["b", "a", "c"]


def test_numbers_and_positions_go_on_after_a_restart(open_journal: OpenJournal) -> None:
    submit(open_journal(), "a", "b")

    (job,) = submit(open_journal(), "c")

    assert (job.number, job.position) == (3, 3.0)


def test_the_same_key_with_the_same_request_is_one_job(open_journal: OpenJournal) -> None:
    journal = open_journal()
    first = journal.submit([new_job("a"), new_job("b")], Once("k", "same")).result()
    again = journal.submit([new_job("c"), new_job("d")], Once("k", "same")).result()
    after = open_journal().submit([new_job("e")], Once("k", "same")).result()

    assert first.new
    assert not again.new
    assert not after.new
    assert [job.id for job in again.jobs] == [job.id for job in after.jobs] == ["a", "b"]


def test_a_repeated_request_tells_how_the_jobs_stand_now(journal: Journal) -> None:
    once = Once("k", "same")
    submit(journal, "a", once=once)
    start(journal, "a")

    assert submit(journal, "x", once=once)[0].status == "running"
    finish(journal, "a", "failed")
    assert submit(journal, "x", once=once)[0].status == "failed"


def test_the_same_key_with_another_request_is_refused_and_nothing_is_kept(
    journal: Journal,
) -> None:
    submit(journal, "a", once=Once("k", "one"))

    with pytest.raises(KeyReusedError, match="The Idempotency-Key 'k' was used"):
        submit(journal, "b", once=Once("k", "two"))
    assert journal.job("b") is None
    assert [kept.seq for kept in journal.events_after(0)] == [1]


def test_a_key_goes_with_its_job(journal: Journal) -> None:
    submit(journal, "a", once=Once("k", "one"))
    finish(journal, "a")
    journal.remove(["a"]).result()

    assert [job.id for job in submit(journal, "b", once=Once("k", "two"))] == ["b"]


def test_an_id_that_another_job_has_is_refused(journal: Journal) -> None:
    submit(journal, "a", "b")
    finish(journal, "b")

    with pytest.raises(NodeflowError, match="an id of its own"):
        submit(journal, "c", "c")
    with pytest.raises(NodeflowError, match="an id of its own"):
        submit(journal, "c", "a")
    with pytest.raises(StoreError, match="UNIQUE"):
        submit(journal, "c", "b")
    assert [job.id for job in journal.jobs()] == ["b", "a"]


def test_a_document_that_the_journal_has_need_not_be_handed_in_again(journal: Journal) -> None:
    submit(journal, "a")

    job = journal.submit([NewJob("b", "again", Document("d1"))]).result().jobs[0]

    assert (job.document, job.nodes) == ("d1", 2)
    assert journal.document("d1") == Document("d1", TEXT, nodes=2)


def test_a_document_without_a_text_that_the_journal_does_not_have_is_refused(
    journal: Journal,
) -> None:
    jobs = [new_job("a"), NewJob("b", "again", Document("d9"))]

    with pytest.raises(StoreError, match="does not have the document 'd9'"):
        journal.submit(jobs).result()
    assert journal.jobs() == []
    assert journal.document("d1") is None


def test_texts_that_unicode_forbids_do_not_stop_a_job(journal: Journal) -> None:
    text = '{"nodes": "\ud800"}'
    job = NewJob("a", "bad \ud800", Document("d1", text), inputs={"text": "\udfff", "n": [1]})
    journal.submit([job]).result()

    record = journal.job("a")
    assert record is not None
    assert record.name == "bad ?"
    assert record.inputs == {"text": "\udfff", "n": [1]}
    assert journal.document("d1") == Document("d1", text)
    assert journal.events_after(0)[0].text.isascii()


def test_a_version_is_kept_once(open_journal: OpenJournal, clock: Clock) -> None:
    journal = open_journal()
    assert journal.add_version("a.json", "e1", "one").result() == 1
    clock.now += 5
    assert journal.add_version("a.json", "e1", "one").result() == 1
    assert journal.add_version("a.json", "e2", "zwei ü").result() == 2
    assert journal.add_version("b.json", "e2", "zwei ü").result() == 1
    journal = open_journal()
    assert journal.add_version("a.json", "e1", "one").result() == 3

    versions = journal.versions("a.json")
    assert [(item.number, item.etag) for item in versions] == [(3, "e1"), (2, "e2"), (1, "e1")]
    assert versions[0].time == versions[2].time + 5
    assert journal.version("a.json", 2) == "zwei ü"
    assert journal.version("a.json", 9) is None
    assert journal.versions("c.json") == []


def test_the_oldest_versions_go_and_numbers_go_on(journal: Journal) -> None:
    futures = [journal.add_version("a", f"e{i}", str(i)) for i in range(VERSIONS_KEPT + 3)]

    assert futures[-1].result() == VERSIONS_KEPT + 3
    assert [item.number for item in journal.versions("a")][-1] == 4
    assert len(journal.versions("a")) == VERSIONS_KEPT
    assert journal.version("a", 3) is None


def test_a_webhook_is_due_when_its_job_is_over_and_until_it_is_delivered(
    open_journal: OpenJournal, clock: Clock
) -> None:
    journal = open_journal()
    submit(journal, "a", webhook="http://localhost/hook")
    submit(journal, "b")
    assert journal.deliveries(clock.now + 1e6) == []
    finish(journal, "a")
    finish(journal, "b")

    assert journal.deliveries(clock.now - 1) == []
    journal = open_journal()
    (due,) = journal.deliveries(clock.now)
    assert (due.job, due.url, due.attempts) == ("a", "http://localhost/hook", 0)

    journal.delivered(due.id, ok=False, next_try=clock.now + 60, note="503").result()
    assert journal.deliveries(clock.now + 59) == []
    (due,) = journal.deliveries(clock.now + 60)
    assert due.attempts == 1
    journal.delivered(due.id, ok=True, next_try=None).result()
    assert journal.deliveries(clock.now + 1e6) == []


def test_a_webhook_without_another_try_is_given_up(journal: Journal, clock: Clock) -> None:
    submit(journal, "a", webhook="http://localhost/hook")
    finish(journal, "a")
    (due,) = journal.deliveries(clock.now)

    journal.delivered(due.id, ok=False, next_try=None, note="410").result()

    assert journal.deliveries(clock.now + 1e9) == []
