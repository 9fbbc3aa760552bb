"""Stores: what nodes made, kept in memory and on disk under one key, found again as it was."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.cache.memory import MemoryStore
from nodeflow.errors import StoreError
from nodeflow.plan import PlanNode
from nodeflow.sockets import item_of
from nodeflow.values import Codecs

Done = Callable[[Exception | None], None]

_AWAITED = "awaited."


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file that an end node wrote, and how it looked then."""

    path: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        status = path.stat()
        return cls(str(path), status.st_size, status.st_mtime_ns)

    def unchanged(self) -> bool:
        try:
            return self == FileStamp.of(Path(self.path))
        except OSError:
            return False


@dataclass(frozen=True, slots=True)
class Made:
    """What a node gave.

    Attributes:
        outputs: In the order of the declaration; lists if the node is mapped.
        files: What an end node wrote.
        items: Of a mapped node, the keys of what each item gave.
    """

    outputs: tuple[object, ...] = ()
    files: tuple[FileStamp, ...] = ()
    items: tuple[str, ...] | None = None


class Stores:
    """The memory store and, unless caching is off, the disk store, as one place.

    Attributes:
        memory: Live values.
        disk: Values that outlive the process; None without caching.
        codecs: The codec of every socket type.
        owner: In whose name values on disk are pinned; nobody's if empty.
    """

    def __init__(
        self, memory: MemoryStore, disk: DiskStore | None, codecs: Codecs, owner: str = ""
    ) -> None:
        self.memory = memory
        self.disk = disk
        self.codecs = codecs
        self.owner = owner if disk is not None else ""
        self._pinned: set[str] = set()
        self._awaited: dict[str, tuple[str, ...]] = {}

    def recall(self, key: str) -> Made | None:
        """What is in memory under a key; files that changed since do not count."""
        found = self.memory.get(key)
        return found if isinstance(found, Made) and _intact(found.files) else None

    def present(self, keys: Collection[str]) -> set[str]:
        """Those keys that the disk store has."""
        return self.disk.present(keys) if self.disk is not None else set()

    def files(self, key: str) -> Made | None:
        """What an end node wrote, from the disk store; None if a file is gone or changed."""
        meta = self.disk.head(key) if self.disk is not None else None
        if meta is None:
            return None
        files = _stamps(meta.get("files"))
        if files is not None and _intact(files):
            return Made(files=files)
        # What was promised to this key is written; it must not be written over if it is made again.
        self.settle([key])
        return None

    def items(self, key: str) -> tuple[str, ...]:
        """Under which keys the items of a mapped node's value are, from the disk store."""
        meta = self.disk.head(key) if self.disk is not None else None
        items = meta.get("items") if meta is not None else None
        return tuple(str(item) for item in items) if isinstance(items, list) else ()

    def fetch(self, node: PlanNode, key: str) -> Made | None:
        """What is on disk under a key, as values; None if anything of it is gone or damaged."""
        if self.disk is None:
            return None
        entry = self.disk.get(key)
        if entry is None:
            return None
        items = entry.meta.get("items")
        if isinstance(items, list):
            return self._fetch_items(node, [str(item) for item in items])
        made = self._decode(entry)
        if made is not None:
            self.keep(node, key, made, entry.seconds, mapped=node.mapped)
        return made

    def _fetch_items(self, node: PlanNode, items: Sequence[str]) -> Made | None:
        found: list[Made] = []
        for item in items:
            made = self.recall(item) or self.fetch_item(node, item)
            if made is None:
                return None
            found.append(made)
        return gather(node, found, tuple(items))

    def fetch_item(self, node: PlanNode, key: str) -> Made | None:
        """What one item of a mapped node gave, from disk."""
        entry = self.disk.get(key) if self.disk is not None else None
        made = self._decode(entry) if entry is not None else None
        if made is not None and entry is not None:
            self.keep(node, key, made, entry.seconds, mapped=False)
        return made

    def _decode(self, entry: Entry) -> Made | None:
        files = _stamps(entry.meta.get("files"))
        if files is not None and not _intact(files):
            return None
        outputs: list[object] = []
        for stored in entry.outputs:
            decode = self.codecs.of(stored.type).decode
            if decode is None:
                return None
            try:
                outputs.append(decode(stored.payload))
            except (KeyError, TypeError, ValueError):
                return None  # kept by a version that wrote values of this type otherwise
        return Made(tuple(outputs), files or ())

    def keep(self, node: PlanNode, key: str, made: Made, seconds: float, *, mapped: bool) -> None:
        """Keep values in memory, if the budget has room for what they are worth."""
        size, place = 256, "cpu"
        for output, value in zip(node.spec.outputs, made.outputs, strict=False):
            codec = self.codecs.of(_stored_type(node, output.name, mapped))
            size += codec.size(value)
            where = codec.place(value)
            place = where if where != "cpu" else place
        self.memory.put(key, made, size=size, place=place, cost=seconds)

    def write(
        self, node: PlanNode, key: str, made: Made, seconds: float, *, mapped: bool, done: Done
    ) -> bool:
        """Write values to disk, in the background.

        Returns:
            Whether `done` will be called; False if values of these types are never stored.
        """
        if self.disk is None:
            return False
        types = [_stored_type(node, output.name, mapped) for output in node.spec.outputs]
        encoders = [self.codecs.of(name).encode for name in types]
        if any(encoder is None for encoder in encoders):
            return False
        meta: dict[str, JsonValue] = {}
        if made.files or node.spec.end:
            meta["files"] = [[item.path, item.size, item.mtime_ns] for item in made.files]
        whole = not mapped or made.items is None
        if not whole:
            meta["items"] = list(made.items or ())

        def make() -> Entry:
            stored = [
                StoredOutput(output.name, name, encoder(value))
                for output, name, encoder, value in zip(
                    node.spec.outputs, types, encoders, made.outputs, strict=True
                )
                if encoder is not None
            ]
            return Entry(tuple(stored) if whole else (), meta, seconds)

        self.pin([key])
        self.disk.put(key, make, done)
        return True

    def settle(self, tokens: Sequence[str]) -> None:
        """The files that these calls wrote are finished: their names are promised no more."""
        if self.disk is not None:
            for token in tokens:
                with contextlib.suppress(StoreError):  # the promise then only lasts longer
                    self.disk.settle(token)

    def awaited(self, base: str) -> tuple[str, ...] | None:
        """The Lazy inputs that a node awaited when its other inputs had this key."""
        if base not in self._awaited and self.disk is not None:
            meta = self.disk.head(_AWAITED + base)
            names = meta.get("names") if meta is not None else None
            if isinstance(names, list):
                self._awaited[base] = tuple(str(name) for name in names)
        return self._awaited.get(base)

    def remember_awaited(self, base: str, names: Sequence[str], seconds: float) -> None:
        """Remember which Lazy inputs counted; see `awaited`. Written in the background.

        Args:
            seconds: What the node cost: without the names its value cannot be found.
        """
        self._awaited[base] = tuple(names)
        if self.disk is not None:
            entry = Entry((), {"names": list(names)}, seconds)
            self.pin([_AWAITED + base])
            self.disk.put(_AWAITED + base, lambda: entry, lambda error: None)

    def parts(self, workflow: str) -> Mapping[str, JsonValue]:
        """Node id to what its key was made of when it last ran in a workflow of this name."""
        if self.disk is None:
            return {}
        found = self.disk.recall("parts", [workflow]).get(workflow)
        return found if isinstance(found, dict) else {}

    def remember_parts(self, workflow: str, parts: Mapping[str, JsonValue], done: Done) -> None:
        """Remember what keys were made of, with the next commit; see `parts`."""
        if self.disk is not None:
            self.disk.remember_soon("parts", {workflow: dict(parts)}, done)

    def pin(self, keys: Collection[str]) -> None:
        """Keep these on disk for the owner of the run, if it has one."""
        if self.disk is not None and self.owner:
            fresh = [key for key in keys if key not in self._pinned]
            if fresh:
                self._pinned.update(fresh)
                self.disk.pin(self.owner, fresh)

    def pin_only(self, keys: Collection[str]) -> None:
        """Keep these for the owner of the run, and nothing else."""
        if self.disk is not None and self.owner:
            self._pinned = set(keys)
            self.disk.pin_only(self.owner, self._pinned)


def _stored_type(node: PlanNode, output: str, mapped: bool) -> str:
    """The type of an output, of the whole list or of one item of it."""
    name = node.types[output]
    return name if mapped or not node.mapped else item_of(name) or name


def gather(node: PlanNode, items: Sequence[Made], keys: tuple[str, ...] | None) -> Made:
    """What all items of a mapped node gave, as lists."""
    outputs = tuple(
        [item.outputs[position] for item in items] for position in range(len(node.spec.outputs))
    )
    files = tuple(file for item in items for file in item.files)
    return Made(outputs, files, keys)


def _stamps(raw: JsonValue) -> tuple[FileStamp, ...] | None:
    if not isinstance(raw, list):
        return None
    stamps: list[FileStamp] = []
    for item in raw:
        match item:
            case [str(path), int(size), int(mtime_ns)]:
                stamps.append(FileStamp(path, size, mtime_ns))
            case _:
                return None
    return tuple(stamps)


def _intact(files: Sequence[FileStamp]) -> bool:
    return all(file.unchanged() for file in files)
