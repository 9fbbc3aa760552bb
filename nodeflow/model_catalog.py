"""The catalog of models: what packs know of each file that nodes can load, and which are equal.

What a file is, packs say through the `facts=` of the nodes that load files of its kind; nothing is
loaded for it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from nodeflow.errors import InputError
from nodeflow.keys import FileDigests
from nodeflow.registry import Registry
from nodeflow.roots import Roots
from nodeflow.spec import NodeSpec

_SAMPLE = 4096
"""Bytes."""


@dataclass(frozen=True)
class CatalogEntry:
    """A file, or a folder that counts as one.

    Attributes:
        kind: Which kind of file it is: `checkpoints`, `loras`, ...
        name: What a workflow calls it by.
        size: In bytes; of a folder all that is in it.
        modified: Seconds since 1970.
        family: The kind of model that it belongs to; empty if no pack knows.
        title: What people call a model, `Stable Diffusion 2, v-prediction`; empty if no pack says.
        precision: In which most of its weights are stored: `fp16`, `bf16`, ...; empty if unknown.
        problem: Why it cannot be loaded; empty if it can, or if nobody knows.
        digest: Of its content (blake3); empty where it is not needed to tell files apart.
        same_as: Names of the files with the same content; that of a file of another kind has its
            kind before it, as in `diffusion_models/flux.safetensors`.
    """

    kind: str
    name: str
    size: int = 0
    modified: float = 0.0
    family: str = ""
    title: str = ""
    precision: str = ""
    problem: str = ""
    digest: str = ""
    same_as: tuple[str, ...] = ()

    def as_json(self) -> dict[str, JsonValue]:
        """The entry without its kind, under which it stands."""
        found = asdict(self)
        del found["kind"]
        return {**found, "same_as": list(self.same_as)}


def model_catalog(
    registry: Registry, roots: Roots, kinds: Iterable[str], digests: FileDigests | None = None
) -> list[CatalogEntry]:
    """What is known of the files of some kinds; a broken one says so, and the rest goes on.

    Args:
        registry: Whose packs are asked.
        roots: Where the files are.
        kinds: Which kinds.
        digests: Finds files of the same content, of other kinds too: those that are equal in size
            and samples are read once, and what came of it is remembered. None leaves them apart.
    """
    kinds = list(kinds)
    found: list[CatalogEntry] = []
    for kind in kinds:
        loaders = list(_loaders(registry, kind))
        found += [_entry(registry, roots, loaders, kind, name) for name in roots.files(kind)]
    if digests is None:
        return found
    others = [
        _on_disk(roots, kind, name)
        for kind in roots.folders
        if kind not in kinds
        for name in roots.files(kind)
    ]
    return _compared(roots, [*found, *others], digests)[: len(found)]


def _loaders(registry: Registry, kind: str) -> Iterator[tuple[NodeSpec, str]]:
    """Nodes that load files of a kind and can say what they are, and the name of their input."""
    for spec in registry.specs.values():
        if spec.facts is None or spec.deprecated:
            continue
        for port in spec.inputs:
            if port.file is not None and port.file.root == kind:
                yield spec, port.name
                break


def _entry(
    registry: Registry,
    roots: Roots,
    loaders: Sequence[tuple[NodeSpec, str]],
    kind: str,
    name: str,
) -> CatalogEntry:
    entry = _on_disk(roots, kind, name)
    if entry.problem:
        return entry
    path = roots.resolve(kind, name)
    problems: list[str] = []
    for spec, port in loaders:
        try:
            facts = _facts(registry, spec, port, path)
        except InputError as error:
            problems.append(f"{error}.")
        except OSError as error:
            problems.append(f"{error.filename or name} cannot be read: {error.strerror or error}.")
        except Exception as error:  # noqa: BLE001  # a pack's code may raise anything
            wrong = f"{type(error).__name__}: {error}"
            problems.append(f"{spec.id} cannot tell what {name} is: its pack raised {wrong}.")
        else:
            return replace(
                entry,
                family=facts.get("family", ""),
                title=facts.get("title", ""),
                precision=facts.get("precision", ""),
            )
    return replace(entry, problem=problems[0] if problems else "")


def _on_disk(roots: Roots, kind: str, name: str) -> CatalogEntry:
    """What the disk alone knows of a file."""
    entry = CatalogEntry(kind, name)
    try:
        path = roots.resolve(kind, name)
        status = path.stat()
        size = _folder_size(path) if path.is_dir() else status.st_size
        return replace(entry, size=size, modified=status.st_mtime)
    except InputError as error:
        return replace(entry, problem=f"{error}.")
    except OSError as error:
        return replace(entry, problem=f"{name}: {error.strerror}.")


def _facts(registry: Registry, spec: NodeSpec, port: str, path: Path) -> dict[str, str]:
    """What a node's pack says of a file, whichever output it says it of."""
    assert spec.facts is not None
    hook = registry.hook(spec, spec.facts)
    code = hook.__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    told = hook(**{name: path if name == port else None for name in names})
    known: dict[str, str] = {}
    for facts in told.values():
        for name in ("family", "title", "precision"):
            if isinstance(value := facts.get(name), str):
                known.setdefault(name, value)
    for facts in told.values():
        # Of what fits several, such as an autoencoder, no single family is a fact.
        if isinstance(families := facts.get("families"), list):
            known.setdefault("family", " or ".join(str(family) for family in families))
    return known


def _compared(
    roots: Roots, entries: Sequence[CatalogEntry], digests: FileDigests
) -> list[CatalogEntry]:
    """The entries with digests where they may be equal, and the names of their equals."""
    alike = _alike(roots, entries)
    told = []
    for number, entry in enumerate(entries):
        if number in alike:
            try:
                digest = digests.digest(roots.resolve(entry.kind, entry.name))
                entry = replace(entry, digest=digest)
            except InputError as error:
                entry = replace(entry, problem=entry.problem or f"{error}.")
        told.append(entry)
    equals: defaultdict[str, list[CatalogEntry]] = defaultdict(list)
    for entry in told:
        equals[entry.digest].append(entry)
    return [
        replace(entry, same_as=tuple(_others(entry, equals[entry.digest])))
        if entry.digest
        else entry
        for entry in told
    ]


def _others(entry: CatalogEntry, equals: Sequence[CatalogEntry]) -> Iterator[str]:
    for other in equals:
        if other.kind != entry.kind:
            yield f"{other.kind}/{other.name}"
        elif other.name != entry.name:
            yield other.name


def _alike(roots: Roots, entries: Sequence[CatalogEntry]) -> set[int]:
    """Places of the entries that have another's size and samples.

    Models of one kind often have the same size to the byte; to read them all would take minutes.
    """
    sizes: defaultdict[int, list[int]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry.size:
            sizes[entry.size].append(number)
    groups: defaultdict[tuple[int, bytes], list[int]] = defaultdict(list)
    for size, numbers in sizes.items():
        for number in numbers if len(numbers) > 1 else ():
            sample = _sample(roots, entries[number])
            if sample is not None:
                groups[size, sample].append(number)
    return {number for numbers in groups.values() if len(numbers) > 1 for number in numbers}


def _sample(roots: Roots, entry: CatalogEntry) -> bytes | None:
    """The middle and the end of a file, nothing of a folder; None if it cannot be read."""
    try:
        path = roots.resolve(entry.kind, entry.name)
        if path.is_dir():
            return b""
        with path.open("rb") as file:
            file.seek(entry.size // 2)
            middle = file.read(_SAMPLE)
            file.seek(max(0, entry.size - _SAMPLE))
            return middle + file.read(_SAMPLE)
    except (InputError, OSError):
        return None


def _folder_size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
