"""What is gathered for a moment, and what of it goes out."""

from __future__ import annotations

import threading
import time

from nodeflow.events import NodeFinished, NodeLog, NodePreview, NodeProgress, NodeStarted
from nodeflow.worker.messages import Happened, JobBegun, JobEnded, Message, Preview
from nodeflow.worker.outbox import Outbox, packed


class Server:
    """Keeps each piece that it is sent, with the time."""

    def __init__(self) -> None:
        self.pieces: list[tuple[Message, ...]] = []
        self.times: list[float] = []

    def __call__(self, *messages: Message) -> None:
        self.pieces.append(messages)
        self.times.append(time.monotonic())


def test_events_between_two_messages_share_a_frame_and_bear_their_job():
    items = [
        JobBegun("j"),
        NodeStarted("j", "a", "t", "new"),
        NodeFinished("j", "a", "ran", 0.5),
        JobEnded("j", "done"),
        JobBegun("k"),
        NodeLog("k", "b", "hm"),
    ]
    begun, happened, ended, other, more = packed(items)
    assert [begun, ended, other] == [JobBegun("j"), JobEnded("j", "done"), JobBegun("k")]
    assert isinstance(happened, Happened)
    assert isinstance(more, Happened)
    assert happened.events[0] == {
        "event": "node_started",
        "job": "j",
        "node": "a",
        "type": "t",
        "why": "new",
    }
    assert [event["event"] for event in happened.events] == ["node_started", "node_finished"]
    assert more == Happened("k", [{"event": "node_log", "job": "k", "node": "b", "text": "hm"}])


def test_of_progress_and_previews_only_the_newest_of_each_node_goes_out():
    items = [
        NodeProgress("j", "a", 1, 9),
        NodePreview("j", "a", "image/jpeg", b"one"),
        NodeProgress("j", "b", 1, 9),
        NodeProgress("j", "a", 2, 9),
        NodePreview("j", "a", "image/jpeg", b"two"),
        NodeFinished("j", "a", "ran", 0.5),
    ]
    first, preview, last = packed(items)
    assert isinstance(first, Happened)
    assert [(event["node"], event["step"]) for event in first.events] == [("b", 1), ("a", 2)]
    assert preview == Preview("j", "a", "image/jpeg", b"two")
    assert isinstance(last, Happened)
    assert [event["event"] for event in last.events] == ["node_finished"]


def test_what_is_put_goes_out_soon_by_itself():
    server = Server()
    outbox = Outbox(server)
    for _ in range(3):
        begun = time.monotonic()
        count = len(server.pieces)
        outbox.put(JobBegun("j"))
        while len(server.pieces) == count:
            assert time.monotonic() - begun < 1
            time.sleep(0.001)
        time.sleep(0.05)


def test_an_outbox_that_has_slept_wakes_again(monkeypatch):
    monkeypatch.setattr("nodeflow.worker.outbox.PATIENCE", 2)
    server = Server()
    outbox = Outbox(server)
    for count in range(30):
        outbox.put(JobBegun(str(count)))
        time.sleep(0.002 * (count % 25))  # about as long as it takes to fall asleep
    time.sleep(0.3)
    told = [message.job for piece in server.pieces for message in piece]
    assert told == [str(count) for count in range(30)]


def test_a_flush_sends_at_once_and_in_one_piece():
    server = Server()
    outbox = Outbox(server)
    outbox.put(JobBegun("j"))
    outbox.put(JobEnded("j", "done"))
    assert outbox.flush()
    assert not outbox.flush()
    assert server.pieces == [(JobBegun("j"), JobEnded("j", "done"))]


def test_many_events_go_out_in_few_pieces_none_lost_and_in_order():
    server = Server()
    outbox = Outbox(server)
    begun = time.monotonic()

    def chatter(name: str) -> None:
        for count in range(2000):
            outbox.put(NodeLog("j", name, str(count)))
            if count % 100 == 0:
                time.sleep(0.002)

    threads = [threading.Thread(target=chatter, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outbox.flush()
    took = time.monotonic() - begun
    assert len(server.pieces) <= took / 0.01 + 2
    events = [
        event
        for piece in server.pieces
        for message in piece
        if isinstance(message, Happened)
        for event in message.events
    ]
    for name in "abc":
        texts = [event["text"] for event in events if event["node"] == name]
        assert texts == [str(count) for count in range(2000)]
