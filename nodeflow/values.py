"""What the engine must know of a value: fingerprint, size, place, how it is stored and shown.

One `Codec` for each socket type, found by the *declared* type of an output, never guessed from the
value. The codecs of tensors live in `nodeflow.tensors`, which imports torch.
"""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal

from blake3 import blake3

from nodeflow.errors import InputError, PackError
from nodeflow.sockets import Recipe, item_of

if TYPE_CHECKING:
    import PIL.Image

PayloadFormat = Literal["json", "safetensors"]


@dataclass(frozen=True, slots=True)
class Payload:
    """A value as bytes.

    Attributes:
        format: What `data` is; a file in the store carries it as its extension.
        data: A JSON text in UTF-8, or a whole safetensors file.
    """

    format: PayloadFormat
    data: bytes


@dataclass(frozen=True)
class Codec:
    """How the engine treats the values of one socket type.

    Attributes:
        fingerprint: Digest (hex) of the content: equal content, equal digest, on every machine.
        size: Bytes that the value holds in memory.
        encode: The value as bytes, without loss; None if values of this type are never stored.
        decode: The value back from its bytes; None as for `encode`.
        verify: Raises InputError with a sentence if a value is not of this type.
        place: Where the value sits: `cpu`, or a device's name such as `cuda:0`.
        move: The same value on another device.
        show: The value as pictures, if it can be seen.
    """

    fingerprint: Callable[[Any], str]
    size: Callable[[Any], int]
    encode: Callable[[Any], Payload] | None
    decode: Callable[[Payload], Any] | None
    verify: Callable[[object], None]
    place: Callable[[Any], str] = lambda value: "cpu"
    move: Callable[[Any, str], Any] = lambda value, device: value
    show: Callable[[Any], Sequence[PIL.Image.Image]] | None = None


# `json.dumps` with these options would make such an encoder at every call.
_CANONICAL = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def canonical_json(value: object) -> bytes:
    """JSON with sorted keys and no spaces, in UTF-8: equal values, equal bytes.

    Raises:
        ValueError: NaN or an infinity, which JSON does not have.
    """
    return _CANONICAL.encode(value).encode()


def _json_fingerprint(value: object) -> str:
    return blake3(b"json\0" + canonical_json(value)).hexdigest(16)


def _json_size(value: object) -> int:
    if isinstance(value, str | bytes):
        return 56 + len(value)
    if isinstance(value, list | tuple):
        return 64 + sum(map(_json_size, value))
    if isinstance(value, dict):
        return 64 + sum(_json_size(key) + _json_size(item) for key, item in value.items())
    return 32


def _json_verify(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise InputError(f"the number {value} is not finite")
    if isinstance(value, list | tuple):
        for item in value:
            _json_verify(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise InputError(f"the key {key!r} of an object is no text")
            _json_verify(item)
    elif value is not None and not isinstance(value, str | int | float | bool):
        raise InputError(f"a {type(value).__name__} is not a JSON value")


JSON = Codec(
    fingerprint=_json_fingerprint,
    size=_json_size,
    encode=lambda value: Payload("json", canonical_json(value)),
    decode=lambda payload: json.loads(payload.data),
    verify=_json_verify,
)


def _verify_path(value: object) -> None:
    if not isinstance(value, Path):
        raise InputError(f"a {type(value).__name__} is not a pathlib.Path")


PATH = Codec(
    fingerprint=lambda value: _json_fingerprint(str(value)),
    size=lambda value: 56 + len(str(value)),
    # A path may be gone when it is read again, so the node that gave it runs again instead.
    encode=None,
    decode=None,
    verify=_verify_path,
)


def _verify_recipe(value: object) -> None:
    if not isinstance(value, Recipe):
        raise InputError(f"a {type(value).__name__} is not a nodeflow.Recipe")


def _recipe_fingerprint(recipe: Recipe) -> str:
    # Paths stay out: the same file at another place is the same model.
    content = {n: item for n, item in asdict(recipe).items() if n not in ("path", "files")}
    content["patches"] = [
        {n: item for n, item in patch.items() if n != "path"} for patch in content["patches"]
    ]
    return blake3(b"recipe\0" + canonical_json(content)).hexdigest(16)


RECIPE = Codec(
    fingerprint=_recipe_fingerprint,
    size=lambda value: 512,
    encode=None,
    decode=None,
    verify=_verify_recipe,
)


def load_codec(
    reference: str, load: Callable[[str], ModuleType] = importlib.import_module
) -> Codec:
    """The codec that `module:attribute` names.

    Args:
        load: How a module is imported; packs in folders are not on the import path.

    Raises:
        InputError: There is no such codec.
    """
    module, _, attribute = reference.partition(":")
    try:
        codec = getattr(load(module), attribute)
    except (ImportError, AttributeError, PackError) as error:
        raise InputError(f"the codec '{reference}' cannot be loaded: {error}") from error
    if not isinstance(codec, Codec):
        raise InputError(f"'{reference}' is a {type(codec).__name__}, not a nodeflow.values.Codec")
    return codec


def list_codec(item: Codec) -> Codec:
    """The codec of lists over `item`; each item is stored as one part of a JSON envelope."""

    def fingerprint(values: Sequence[object]) -> str:
        return blake3("\0".join(["list", *map(item.fingerprint, values)]).encode()).hexdigest(16)

    def verify(value: object) -> None:
        if not isinstance(value, list | tuple):
            raise InputError(f"a {type(value).__name__} is not a list")
        for entry in value:
            item.verify(entry)

    def show(values: Sequence[object]) -> Sequence[PIL.Image.Image]:
        return [picture for value in values for picture in (item.show(value) if item.show else ())]

    encode, decode = item.encode, item.decode
    return Codec(
        fingerprint=fingerprint,
        size=lambda values: 64 + sum(map(item.size, values)),
        encode=None if encode is None else lambda values: _pack([encode(v) for v in values]),
        decode=None if decode is None else lambda payload: [decode(p) for p in _unpack(payload)],
        verify=verify,
        place=lambda values: item.place(values[0]) if values else "cpu",
        move=lambda values, device: [item.move(value, device) for value in values],
        show=None if item.show is None else show,
    )


def _pack(parts: Sequence[Payload]) -> Payload:
    """Many payloads as one: a JSON list if all are JSON, else one file of byte tensors."""
    if all(part.format == "json" for part in parts):
        return Payload("json", b"[" + b",".join(part.data for part in parts) + b"]")
    return Payload("safetensors", load_joiner()([(part.format, part.data) for part in parts]))


def _unpack(payload: Payload) -> list[Payload]:
    if payload.format == "json":
        return [Payload("json", canonical_json(item)) for item in json.loads(payload.data)]
    return [Payload(form, data) for form, data in load_splitter()(payload.data)]


def load_joiner() -> Callable[[Sequence[tuple[PayloadFormat, bytes]]], bytes]:
    """How several payloads become one safetensors file; kept where torch may be imported."""
    joiner: Callable[[Sequence[tuple[PayloadFormat, bytes]]], bytes]
    joiner = importlib.import_module("nodeflow.tensors").join_files
    return joiner


def load_splitter() -> Callable[[bytes], list[tuple[PayloadFormat, bytes]]]:
    """The way back from `load_joiner`."""
    splitter: Callable[[bytes], list[tuple[PayloadFormat, bytes]]]
    splitter = importlib.import_module("nodeflow.tensors").split_files
    return splitter


class Codecs:
    """The codec of every socket type that is known, lists included.

    Args:
        references: Socket type to `module:attribute`.
        load: How a module is imported.
    """

    def __init__(
        self,
        references: Mapping[str, str],
        load: Callable[[str], ModuleType] = importlib.import_module,
    ) -> None:
        self._references = references
        self._load = load
        self._found: dict[str, Codec] = {}

    def of(self, type_name: str) -> Codec:
        """The codec for values declared `type_name`.

        Raises:
            InputError: The type is unknown, or its codec cannot be loaded.
        """
        found = self._found.get(type_name)
        if found is None:
            item = item_of(type_name)
            if item is not None:
                found = list_codec(self.of(item))
            elif (reference := self._references.get(type_name)) is not None:
                found = load_codec(reference, self._load)
            else:
                raise InputError(f"no pack declares the socket type '{type_name}'")
            self._found[type_name] = found
        return found
