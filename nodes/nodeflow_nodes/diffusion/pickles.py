"""Checkpoints in torch's zip format (`.ckpt`, `.pt`), looked at without torch and never run.

A pickle is a program. This reader knows the few words that tensors are written with and refuses
every other, as `torch.load(weights_only=True)` does, which reads the weights themselves.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from nodeflow import InputError
from nodeflow_nodes.diffusion.headers import Entry, unreadable

SUFFIXES = (".ckpt", ".pt", ".pth", ".bin")
STATE = "state_dict"
"""Under this name trainers keep the weights beside other things."""

_FORMATS = {
    "DoubleStorage": ("F64", 8),
    "FloatStorage": ("F32", 4),
    "HalfStorage": ("F16", 2),
    "BFloat16Storage": ("BF16", 2),
    "LongStorage": ("I64", 8),
    "IntStorage": ("I32", 4),
    "ShortStorage": ("I16", 2),
    "CharStorage": ("I8", 1),
    "ByteStorage": ("U8", 1),
    "BoolStorage": ("BOOL", 1),
}
_OLD_MAGIC = 0x1950A86A20F9469CFC6C
_COUNT = 8
"""Bytes of the count before the numbers of each storage in the old format."""
Inside = Callable[[object], Mapping[str, Any]]
"""Finds tensors by name in what was pickled."""
_LOCAL_HEADER = 30
"""Bytes of a zip's local header before the name; the lengths of name and extra field end it."""
_WAY_OUT = "convert it to safetensors with a tool that you trust, or fetch it as safetensors"


def is_pickle(path: Path) -> bool:
    """Whether a file calls itself one."""
    return path.suffix.lower() in SUFFIXES


def read_pickle_entries(
    path: Path, inside: Inside | None = None, *, old: bool = False
) -> dict[str, Entry]:
    """The tensors of a checkpoint by name, as those of a safetensors file.

    Args:
        path: The file.
        inside: Finds the tensors in what was pickled; `state_of` if None.
        old: Read the format of torch before 1.6 too, which is no zip. Such files cannot be mapped.

    Raises:
        InputError: It is missing, damaged, in a format that is not read, or wants more than
            tensors.
    """
    try:
        if old and not zipfile.is_zipfile(path):
            return _read_old(path, inside or state_of)
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            program = next((n for n in archive.namelist() if n.endswith("/data.pkl")), None)
            if program is None:
                raise InputError(f"{path} is a zip, but no checkpoint of torch; fetch it again")
            with archive.open(program) as opened:
                told = _Reader(opened, path).load()
            folder = program.removesuffix("data.pkl")
            starts = {
                info.filename: _start(file, info)
                for info in archive.infolist()
                if info.filename.startswith(f"{folder}data/")
            }
    except zipfile.BadZipFile as error:
        if not path.stat().st_size:
            raise InputError(
                f"the file of weights {path} is empty; fetch the file again"
            ) from error
        raise InputError(
            f"{path} is a pickle in the format of old versions of torch, or cut off; {_WAY_OUT}"
        ) from error
    except OSError as error:
        raise InputError(unreadable("the file of weights", path, error)) from error
    except InputError:
        raise
    except Exception as error:  # a program that is not what it should be may go wrong in any way
        raise InputError(
            f"{path} is damaged ({type(error).__name__}: {error}); {_WAY_OUT}"
        ) from error
    return _entries(path, (inside or state_of)(told), f"{folder}data/", starts)


def _read_old(path: Path, inside: Inside) -> dict[str, Entry]:
    """Five pickles, and the numbers of each storage behind their count."""
    with path.open("rb") as file:
        if file.peek(1)[:1] != b"\x80":
            start = file.read(8)
            if not start:
                raise InputError(f"the file of weights {path} is empty; fetch the file again")
            if start[:2] == b"PK":
                raise InputError(f"{path} is cut off or damaged; fetch the file again")
            raise InputError(
                f"{path} is no pickle of tensors (it begins with {start!r}); fetch the file again"
            )
        if _Reader(file, path).load() != _OLD_MAGIC:
            raise ValueError("it is a pickle, but none of torch's")
        for _ in ("version", "machine"):
            _Reader(file, path).load()
        reader = _Reader(file, path)
        told, keys = reader.load(), _Reader(file, path).load()
        starts, place = {}, file.tell()
    for key in keys:
        starts[str(key)] = place + _COUNT
        place = starts[str(key)] + reader.sizes[str(key)]
    size = path.stat().st_size
    if size < place:
        raise InputError(
            f"the weights {path} are truncated: {size:,} bytes, and their list of contents says "
            f"{place:,}; fetch the file again"
        )
    return _entries(path, inside(told), "", starts)


def state_of(told: object) -> Mapping[str, Any]:
    """The weights of a checkpoint, which may stand beside other things, or in groups.

    Those of a group have its name and a point before theirs.
    """
    inner = told.get(STATE, told) if isinstance(told, Mapping) else {}
    found: dict[str, Any] = {}
    for name, value in inner.items() if isinstance(inner, Mapping) else ():
        if isinstance(value, Mapping):
            found |= {f"{name}.{own}": tensor for own, tensor in value.items()}
        else:
            found[str(name)] = value
    return found


@dataclass(frozen=True)
class _Storage:
    """Numbers in one file of the archive."""

    format: str
    width: int
    key: str


@dataclass(frozen=True)
class _Tensor:
    """A tensor that looks at a storage."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _tensor(
    storage: _Storage, offset: int, shape: Sequence[int], stride: Sequence[int], *_: object
) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


def _parameter(tensor: _Tensor, *_: object) -> _Tensor:
    return tensor


_WORDS: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): name for name in _FORMATS},
    # What stands beside tensors, and is dropped.
    ("collections", "Counter"): dict,
    ("torch", "Size"): tuple,
    ("torch", "device"): lambda *names: names,
    **{("torch", name): name for name in ("float16", "bfloat16", "float32", "float64", "int64")},
}


class _Reader(pickle.Unpickler):
    """Builds descriptions of tensors; nothing else is built, and nothing is called."""

    def __init__(self, file: Any, path: Path) -> None:
        super().__init__(file, encoding="utf-8")
        self._path = path
        self.sizes: dict[str, int] = {}
        """Bytes of each storage that was named, by its key."""

    def find_class(self, module: str, name: str) -> Any:
        found = _WORDS.get((module, name))
        if found is None:
            self._refuse(f"{module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, _, count, *_ = pid
        if kind != "storage" or storage not in _FORMATS:
            self._refuse(str(kind))
        found = _Storage(*_FORMATS[storage], str(key))
        self.sizes[found.key] = int(count) * found.width
        return found

    def _refuse(self, word: str) -> NoReturn:
        raise InputError(
            f"{self._path} is a pickle that wants '{word}', which is no tensor and could be any "
            f"program; {_WAY_OUT}"
        )


def _start(file: Any, info: zipfile.ZipInfo) -> int:
    """Where a file of the archive begins; it is never compressed."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ValueError("its tensors are compressed")
    file.seek(info.header_offset + _LOCAL_HEADER - 4)
    lengths = file.read(4)
    name, extra = (int.from_bytes(lengths[i : i + 2], "little") for i in (0, 2))
    return int(info.header_offset) + _LOCAL_HEADER + name + extra


def _entries(
    path: Path, state: Mapping[str, Any], folder: str, starts: Mapping[str, int]
) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for name, tensor in state.items():
        if not isinstance(tensor, _Tensor):
            continue
        start = starts.get(folder + tensor.storage.key)
        if start is None:
            raise InputError(f"{path} lacks the numbers of '{name}'; fetch the file again")
        width = tensor.storage.width
        found[str(name)] = Entry(
            tensor.storage.format,
            tensor.shape,
            start + tensor.offset * width,
            math.prod(tensor.shape) * width,
        )
    return found
