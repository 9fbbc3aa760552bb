from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.errors import StoreError
from nodeflow.values import Payload
from tests.cache.conftest import OpenStore, blob, content, number, store_all, value_files


def test_an_entry_comes_back_whole_in_the_next_process(open_store: OpenStore) -> None:
    entry = Entry(
        (
            StoredOutput("count", "int", Payload("json", b"3"), "f1"),
            StoredOutput("image", "Image", Payload("safetensors", content("x", 50_000)), "f2"),
            StoredOutput("text", "str", Payload("json", '"grüß"'.encode()), "f3"),
            StoredOutput("long", "str", Payload("json", b'"' + b"x" * 40_000 + b'"'), "f4"),
        ),
        {"files": ["a.png", "ü.png"], "n": 1.5},
        2.5,
    )
    first = open_store()
    assert store_all(first, {"k": entry}) == [None]
    assert first.get("k") == entry
    first.close()
    second = open_store()
    assert second.get("k") == entry
    assert second.head("k") == entry.meta
    assert second.get("other") is None
    assert second.head("other") is None


def test_looking_reads_one_output_and_counts_as_no_use(open_store: OpenStore) -> None:
    image = StoredOutput("image", "Image", Payload("safetensors", content("x", 50_000)), "f2")
    small = StoredOutput("mask", "Mask", Payload("safetensors", b"m" * 40), "f3")
    count = StoredOutput("count", "int", Payload("json", b"3"), "f1")
    store = open_store()
    assert store_all(store, {"k": Entry((count, image, small))}) == [None]
    assert store.look("k", "Image", 60_000) == image
    assert store.look("k", "Mask", 40) == small
    assert store.look("k", "Image", 40_000) is None
    assert store.look("k", "Latent", 60_000) is None
    assert store.look("other", "Image", 60_000) is None
    assert (store.info()["hits"], store.info()["misses"]) == (0, 0)
    for path in value_files(store.folder):
        path.write_bytes(b"harmed")
    assert store.look("k", "Image", 60_000) is None
    assert store.present(["k"]) == set()


def test_an_entry_without_outputs_keeps_its_meta(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {"end": Entry((), {"files": []}, 0.0)})
    assert store.get("end") == Entry((), {"files": []}, 0.0)


def test_present_says_which_keys_have_an_entry(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {f"k{i}": number(i) for i in range(3000)})
    asked = [f"k{i}" for i in range(0, 6000, 2)]
    assert store.present(asked) == {f"k{i}" for i in range(0, 3000, 2)}
    assert store.present([]) == set()


def test_a_later_put_replaces_an_earlier_one_even_in_one_batch(open_store: OpenStore) -> None:
    store = open_store()
    done: list[Exception | None] = []
    store.put("k", lambda: blob("old", 30_000), done.append)
    store.put("k", lambda: blob("new", 30_000), done.append)
    store.flush()
    store_all(store, {"l": blob("one", 30_000)})
    store_all(store, {"l": number(2)})
    assert done == [None, None]
    assert store.get("k") == blob("new", 30_000)
    assert store.get("l") == number(2)
    assert len(value_files(store.folder)) == 1


def test_equal_content_is_one_file_until_its_last_entry_is_gone(open_store: OpenStore) -> None:
    store = open_store()
    same = blob("same", 100_000)
    store_all(store, {f"k{i}": same for i in range(5)})
    assert len(value_files(store.folder)) == 1
    assert store.info()["bytes"] < 110_000
    store_all(store, {f"k{i}": number(i) for i in range(4)})
    assert store.get("k4") == same
    store_all(store, {"k4": number(4)})
    assert value_files(store.folder) == []


def test_a_stored_tensor_file_is_read_by_the_safetensors_library(open_store: OpenStore) -> None:
    store = open_store()
    array = np.arange(10_000, dtype=np.float32)
    payload = Payload("safetensors", safetensors.numpy.save({"value": array}))
    store_all(store, {"k": Entry((StoredOutput("image", "Image", payload),))})
    (file,) = value_files(store.folder)
    assert file.suffix == ".safetensors"
    np.testing.assert_array_equal(safetensors.numpy.load_file(file)["value"], array)


def test_done_is_called_in_order_after_the_entry_is_there_for_others(
    open_store: OpenStore,
) -> None:
    store, other = open_store(), open_store()
    order: list[int] = []
    missing: list[int] = []

    def done(i: int) -> None:
        order.append(i)
        if not other.present([f"k{i}"]):
            missing.append(i)

    for i in range(2500):
        store.put(f"k{i}", lambda i=i: number(i), lambda error, i=i: done(i))
    store.flush()
    assert order == list(range(2500))
    assert missing == []


def test_a_value_that_cannot_be_made_hurts_no_other(open_store: OpenStore) -> None:
    store = open_store()

    def fail() -> Entry:
        raise RuntimeError("no codec")

    done: dict[str, Exception | None] = {}
    store.put("a", lambda: number(1), lambda error: done.update(a=error))
    store.put("b", fail, lambda error: done.update(b=error))
    store.put("c", lambda: Entry((), {"\ud800": 1}), lambda error: done.update(c=error))
    store.put("d", lambda: Entry((), {}, float("nan")), lambda error: done.update(d=error))
    store.flush()
    assert done["a"] is None
    assert str(done["b"]) == "no codec"
    assert isinstance(done["c"], UnicodeEncodeError)
    assert done["d"] is None
    assert store.present(["a", "b", "c", "d"]) == {"a", "d"}


@pytest.mark.parametrize("kind", [RuntimeError, SystemExit])
def test_a_done_that_raises_is_logged_and_stops_nothing(
    open_store: OpenStore, caplog: pytest.LogCaptureFixture, kind: type[BaseException]
) -> None:
    store = open_store()

    def fail(error: Exception | None) -> None:
        raise kind("listener broke")

    store.put("a", lambda: number(1), fail)
    assert store_all(store, {"b": number(2)}) == [None]
    assert "listener broke" in caplog.text


def test_a_done_may_put_and_flush_without_waiting_for_itself(open_store: OpenStore) -> None:
    store = open_store()

    def follow(error: Exception | None) -> None:
        store.put("b", lambda: number(2), lambda error: None)
        store.flush()

    store.put("a", lambda: number(1), follow)
    store.flush()
    store.flush()
    assert store.present(["a", "b"]) == {"a", "b"}


def test_after_close_a_put_is_refused_with_a_sentence(open_store: OpenStore) -> None:
    store = open_store()
    store.put("a", lambda: number(1), lambda error: None)
    store.close()
    (error,) = store_all(store, {"b": number(2)})
    assert isinstance(error, StoreError)
    assert "closed" in str(error)
    with pytest.raises(StoreError, match="closed"):
        store.get("a")
    assert open_store().present(["a", "b"]) == {"a"}


def test_very_many_waiting_puts_hold_the_caller_back(open_store: OpenStore) -> None:
    store = open_store()
    gate = threading.Event()
    store.put("first", lambda: gate.wait() and number(0), lambda error: None)  # type: ignore[return-value,arg-type]
    count = 0

    def fill() -> None:
        nonlocal count
        for i in range(25_000):
            store.put(f"k{i % 10}", lambda: number(1), lambda error: None)
            count = i + 1

    thread = threading.Thread(target=fill)
    thread.start()
    patience = time.monotonic() + 30
    while count < 19_990 and time.monotonic() < patience:
        time.sleep(0.01)
    thread.join(0.2)  # time enough to go on, if nothing held it back
    held = count
    gate.set()
    thread.join()
    assert 19_990 < held < 21_100
    assert count == 25_000


@pytest.mark.parametrize("damage", ["flip", "truncate", "delete", "empty"])
def test_a_damaged_file_is_a_miss_and_its_entries_are_dropped(
    open_store: OpenStore, damage: str
) -> None:
    store = open_store()
    entry = blob("x", 40_000)
    store_all(store, {"k": entry, "twin": entry, "other": blob("y", 40_000), "small": number(1)})
    file = next(
        path for path in value_files(store.folder) if path.read_bytes() == content("x", 40_000)
    )
    data = bytearray(file.read_bytes())
    data[20_000] ^= 1
    if damage == "delete":
        file.unlink()
    else:
        file.write_bytes({"flip": data, "truncate": data[:-1], "empty": b""}[damage])
    assert store.get("k") is None
    assert store.present(["k", "twin", "other", "small"]) == {"other", "small"}
    assert store.info()["dropped"] == 1
    assert store_all(store, {"k": entry}) == [None]
    assert store.get("k") == entry
    assert store.get("other") == blob("y", 40_000)


def test_a_flipped_byte_of_a_small_value_is_noticed(open_store: OpenStore) -> None:
    store = open_store()
    store_all(
        store, {"k": Entry((StoredOutput("v", "int", Payload("json", b"12345678")),), {"a": 1})}
    )
    connection = sqlite3.connect(store.info()["index"])
    connection.execute("UPDATE entries SET data = ? WHERE key = 'k'", (b"12345679",))
    connection.commit()
    connection.close()
    assert store.head("k") is None
    assert store.get("k") is None
    assert store.present(["k"]) == set()


def test_clear_forgets_entries_and_memos_but_no_promise(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store()
    store_all(store, {"a": number(1), "b": blob("b", 50_000)})
    store.remember("digest", {"f": "1"})
    promised = store.reserve("job", 0, tmp_path, "picture", ".png")
    store.clear()
    assert store.present(["a", "b"]) == set()
    assert store.recall("digest", ["f"]) == {}
    assert value_files(store.folder) == []
    assert (store.info()["entries"], store.info()["bytes"]) == (0, 0)
    assert store.reserve("job", 0, tmp_path, "picture", ".png") == promised


def test_memos_survive_by_kind(open_store: OpenStore) -> None:
    store = open_store()
    store.remember("digest", {"/a": ["x", 1], "/b": None, "ü": {"n": 2.5}})
    store.remember("facts", {"/a": "other"})
    store.remember("digest", {"/b": "newer"})
    store.remember("digest", {})
    store.close()
    again = open_store()
    assert again.recall("digest", ["/a", "/b", "ü", "/c"]) == {
        "/a": ["x", 1],
        "/b": "newer",
        "ü": {"n": 2.5},
    }
    assert again.recall("facts", ["/a", "/b"]) == {"/a": "other"}
    assert again.recall("none", ["/a"]) == {}


def test_info_counts(open_store: OpenStore) -> None:
    store = open_store(budget=12_345_678)
    store_all(store, {"a": number(1), "b": blob("b", 50_000)})
    store.get("a")
    store.get("missing")
    info = store.info()
    assert {name: info[name] for name in ("entries", "files", "budget", "hits", "misses")} == {
        "entries": 2,
        "files": 1,
        "budget": 12_345_678,
        "hits": 1,
        "misses": 1,
    }


def test_reads_do_not_wait_for_a_process_that_writes(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {"k": number(1)})
    other = sqlite3.connect(store.info()["index"], isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store.get("k") == number(1)
    assert store.present(["k"]) == {"k"}
    other.execute("ROLLBACK")
    other.close()


def test_a_folder_that_cannot_be_used_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("I am no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nodeflow")):
        with pytest.raises(StoreError, match=f"'{folder}'.*NODEFLOW_CACHE"):
            DiskStore(folder, 1 << 20)


def test_a_folder_without_permission_to_write_is_refused_with_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The tests may run as root, whom no permission stops.
    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    with pytest.raises(StoreError, match=r"Permission denied.*NODEFLOW_CACHE"):
        DiskStore(tmp_path / "store", 1 << 20)


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.cache.conftest import blob, number, store_all
from nodeflow.cache.disk import DiskStore
from nodeflow.errors import StoreError
store = DiskStore(Path(sys.argv[1]), 1 << 30)
assert store_all(store, {"before": blob("before", 20_000)}) == [None]
_, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
small, large, last = store_all(
    store, {"s": number(1), "l": blob("l", 400_000), "t": blob("t", 20_000)})
assert small is None and last is None, (small, last)
assert isinstance(large, StoreError) and "room" in str(large), large
outcomes = store_all(store, {f"k{i}": number(i) for i in range(20_000)})
refused = [error for error in outcomes if error]
assert refused and all(isinstance(error, StoreError) for error in refused)
assert "room" in str(refused[0]), refused[0]
assert store.get("before") == blob("before", 20_000)
kept = [f"k{i}" for i, error in enumerate(outcomes) if error is None]
assert store.present(kept) == set(kept)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
assert store_all(store, {"l": blob("l", 400_000)}) == [None]
assert store.get("l") == blob("l", 400_000)
store.close()
"""


def test_a_full_disk_is_a_sentence_and_what_was_stored_stays(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(tmp_path / "store"), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    assert list((tmp_path / "store" / "unfinished").iterdir()) == []


def test_a_store_folder_deleted_while_open_is_begun_anew(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {"a": blob("a", 50_000), "b": number(1)})
    for path in sorted(store.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    store.folder.rmdir()
    assert store.get("a") is None
    outcomes = store_all(store, {"c": blob("c", 50_000), "d": number(2)})
    assert outcomes == [None, None]
    assert store.get("c") == blob("c", 50_000)
    store.close()
    assert open_store().present(["c", "d"]) == {"c", "d"}
