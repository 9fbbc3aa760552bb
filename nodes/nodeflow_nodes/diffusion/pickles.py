"""Checkpoints in torch's zip format (`.ckpt`, `.pt`), looked at without torch and never run.

A pickle is a program. This reader knows the few words that tensors are written with and refuses
every other, as `torch.load(weights_only=True)` does, which reads the weights themselves.
"""

from __future__ import annotations

import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping, Sequence
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
_LOCAL_HEADER = 30
"""Bytes of a zip's local header before the name; the lengths of name and extra field end it."""
_WAY_OUT = "convert it to safetensors with a tool that you trust, or fetch it as safetensors"


def is_pickle(path: Path) -> bool:
    """Whether a file calls itself one."""
    return path.suffix.lower() in SUFFIXES


def read_pickle_entries(path: Path) -> dict[str, Entry]:
    """The tensors of a checkpoint by name, as those of a safetensors file.

    Raises:
        InputError: It is missing, damaged, in torch's format of before 1.6, or wants more than
            tensors.
    """
    try:
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
    return _entries(path, told, f"{folder}data/", starts)


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
}


class _Reader(pickle.Unpickler):
    """Builds descriptions of tensors; nothing else is built, and nothing is called."""

    def __init__(self, file: Any, path: Path) -> None:
        super().__init__(file, encoding="utf-8")
        self._path = path

    def find_class(self, module: str, name: str) -> Any:
        found = _WORDS.get((module, name))
        if found is None:
            self._refuse(f"{module}.{name}")
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        kind, storage, key, *_ = pid
        if kind != "storage" or storage not in _FORMATS:
            self._refuse(str(kind))
        return _Storage(*_FORMATS[storage], str(key))

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


def _entries(path: Path, told: object, folder: str, starts: Mapping[str, int]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for name, tensor in state_of(told).items():
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
