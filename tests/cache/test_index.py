from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest

from nodeflow.cache.disk import DiskStore
from tests.cache.conftest import OpenStore, blob, number, store_all


def set_version(index: object, version: int) -> None:
    connection = sqlite3.connect(str(index))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()


@pytest.mark.parametrize("version", [0, 999])
def test_an_index_of_another_version_is_left_aside_untouched(
    open_store: OpenStore, version: int
) -> None:
    store = open_store()
    store_all(store, {"k": number(1)})
    old = Path(str(store.info()["index"]))
    store.close()
    set_version(old, version)
    again = open_store()
    assert again.present(["k"]) == set()
    assert store_all(again, {"k": number(2)}) == [None]
    again.close()
    assert open_store().get("k") == number(2)
    connection = sqlite3.connect(old)
    assert connection.execute("SELECT data FROM entries").fetchall() == [(b"1",)]
    connection.close()


@pytest.mark.parametrize(
    "junk", [b"this is no database " * 500, b"SQLite format 3\0" + b"\7" * 9000]
)
def test_an_index_that_is_no_database_is_left_aside(open_store: OpenStore, junk: bytes) -> None:
    store = open_store()
    index = Path(str(store.info()["index"]))
    store.close()
    index.write_bytes(junk)
    again = open_store()
    assert store_all(again, {"k": number(2)}) == [None]
    assert again.get("k") == number(2)
    assert index.read_bytes() == junk


def test_a_truncated_index_is_left_aside(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {f"k{i}": number(i) for i in range(2000)})
    index = Path(str(store.info()["index"]))
    store.close()
    index.write_bytes(index.read_bytes()[: index.stat().st_size // 2])
    again = open_store()
    assert store_all(again, {"k": number(2)}) == [None]
    assert again.get("k") == number(2)


def test_an_index_that_turns_out_corrupt_while_open_is_begun_anew(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {f"k{i}": number(i) for i in range(2000)} | {"big": blob("big", 50_000)})
    index = Path(str(store.info()["index"]))
    store.close()
    data = bytearray(index.read_bytes())
    data[8192:] = b"\xa5" * (len(data) - 8192)  # the header and the first pages stay good
    index.write_bytes(data)
    again = open_store()
    assert [again.get(f"k{i}") for i in range(3)] == [None] * 3
    assert again.present([f"k{i}" for i in range(2000)]) == set()
    assert store_all(again, {"k1": number(1), "big": blob("big", 50_000)}) == [None, None]
    assert again.get("big") == blob("big", 50_000)
    assert again.info()["index"] != str(index)


def test_a_process_follows_when_another_has_begun_a_new_index(open_store: OpenStore) -> None:
    store = open_store()
    store_all(store, {"k": number(1)})
    index = Path(str(store.info()["index"]))
    successor = open_store(folder=store.folder.parent / "elsewhere")
    store_all(successor, {"new": number(7)})
    made = Path(str(successor.info()["index"]))
    successor.close()
    made.rename(index.with_name("index-2.sqlite"))
    store_all(store, {"l": number(2)})
    assert store.present(["k", "l", "new"]) == {"l", "new"}


def test_a_process_keeps_its_index_when_a_newer_version_begins_another(
    open_store: OpenStore,
) -> None:
    store = open_store()
    store_all(store, {"k": number(1)})
    newer = Path(str(store.info()["index"])).with_name("index-2.sqlite")
    connection = sqlite3.connect(newer)
    connection.execute("CREATE TABLE of_the_future (x)")
    connection.close()
    set_version(newer, 999)
    assert store_all(store, {"l": number(2)}) == [None]
    assert store.present(["k", "l"]) == {"k", "l"}


def test_other_files_in_the_folder_are_left_alone(open_store: OpenStore, tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    for name in ("index-x.sqlite", "index-7.sqlite.bak", "notes.txt"):
        (folder / name).write_text("mine")
    store = open_store()
    store_all(store, {"k": number(1)})
    store.prune()
    store.clear()
    for name in ("index-x.sqlite", "index-7.sqlite.bak", "notes.txt"):
        assert (folder / name).read_text() == "mine"


def test_many_opening_a_broken_store_at_once_agree_on_one_index(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    (folder / "index-1.sqlite").write_bytes(b"junk" * 5000)
    stores: list[DiskStore] = []
    barrier = threading.Barrier(8)

    def open_one() -> None:
        barrier.wait()
        stores.append(DiskStore(folder, 1 << 20))

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    try:
        assert {store.info()["index"] for store in stores} == {str(folder / "index-2.sqlite")}
        assert len(stores) == 8
    finally:
        for store in stores:
            store.close()
