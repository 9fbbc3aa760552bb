"""The codecs of values made of tensors. Imports torch, so only running nodes load this module."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, TypeVar

import PIL.Image
import torch
from blake3 import blake3
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from nodeflow.errors import InputError
from nodeflow.sockets import Conditioning, Control, ImagePrompt, Latent, Patch, Recipe
from nodeflow.values import Codec, Payload, PayloadFormat, canonical_json

Tensors = dict[str, torch.Tensor]
R = TypeVar("R")


def _digest(tag: str, tensors: Mapping[str, torch.Tensor], extra: object = None) -> str:
    hasher = blake3(tag.encode() + b"\0" + canonical_json(extra))
    for name in sorted(tensors):
        tensor = tensors[name].detach().to("cpu").contiguous()
        hasher.update(f"\0{name}\0{tensor.dtype}\0{tuple(tensor.shape)}\0".encode())
        # Read as bytes: bfloat16 has no numpy twin.
        hasher.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return hasher.hexdigest(16)


def _size(tensors: Mapping[str, torch.Tensor]) -> int:
    return sum(tensor.nbytes for tensor in tensors.values()) + 256


def _encode(tensors: Mapping[str, torch.Tensor], extra: object = None) -> Payload:
    on_cpu = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    if len({tensor.untyped_storage().data_ptr() for tensor in on_cpu.values()}) < len(on_cpu):
        # The library refuses tensors that share memory.
        on_cpu = {name: tensor.clone() for name, tensor in on_cpu.items()}
    meta = {"extra": canonical_json(extra).decode()} if extra is not None else None
    return Payload("safetensors", save_tensors(on_cpu, metadata=meta))


def _metadata(data: bytes) -> dict[str, str]:
    """The texts in a safetensors file's header; the library reads them from files only."""
    length = int.from_bytes(data[:8], "little")
    header: dict[str, dict[str, str]] = json.loads(data[8 : 8 + length])
    return header.get("__metadata__", {})


def _place(tensor: torch.Tensor) -> str:
    return "cpu" if tensor.device.type == "cpu" else str(tensor.device)


def pictures(images: torch.Tensor) -> list[PIL.Image.Image]:
    """One PIL picture for each image of a batch [batch, height, width, channel] in 0..1."""
    whole = (images.detach().float().cpu().clamp(0, 1) * 255).round().to(torch.uint8)
    modes = {1: "L", 3: "RGB", 4: "RGBA"}
    mode = modes[whole.shape[-1]]
    return [
        PIL.Image.fromarray((one[..., 0] if mode == "L" else one).contiguous().numpy(), mode=None)
        for one in whole
    ]


def _verify_tensor(what: str, dims: int) -> Callable[[object], None]:
    def verify(value: object) -> None:
        if not isinstance(value, torch.Tensor):
            raise InputError(f"a {type(value).__name__} is not {what}")
        if value.ndim != dims:
            raise InputError(f"a tensor of shape {tuple(value.shape)} is not {what}")
        if not value.dtype.is_floating_point:
            raise InputError(f"a tensor of {value.dtype} is not {what}")

    return verify


def _verify_image(value: object) -> None:
    what = "an Image, a float tensor [batch, height, width, channel]"
    _verify_tensor(what, 4)(value)
    assert isinstance(value, torch.Tensor)
    if value.shape[-1] not in (1, 3, 4):
        raise InputError(f"a tensor of shape {tuple(value.shape)} is not {what} of 1, 3 or 4")


def tensor_codec(
    tag: str,
    verify: Callable[[object], None],
    show: Callable[[torch.Tensor], Sequence[PIL.Image.Image]] | None = None,
) -> Codec:
    """The codec of a socket type that is one tensor."""
    return Codec(
        fingerprint=lambda value: _digest(tag, {"value": value}),
        size=lambda value: _size({"value": value}),
        encode=lambda value: _encode({"value": value}),
        decode=lambda payload: load_tensors(payload.data)["value"],
        verify=verify,
        place=_place,
        move=lambda value, device: value.to(device),
        show=show,
    )


def record_codec(
    tag: str,
    of: type[R],
    split: Callable[[R], tuple[Tensors, object]],
    build: Callable[[Tensors, Any], R],
) -> Codec:
    """The codec of a frozen dataclass that holds tensors and a few JSON values.

    Args:
        tag: Begins the fingerprint, so that two types never collide.
        of: The dataclass.
        split: The value as named tensors and the rest as JSON.
        build: The way back.
    """

    def verify(value: object) -> None:
        if not isinstance(value, of):
            raise InputError(f"a {type(value).__name__} is not a {of.__name__}")

    def decode(payload: Payload) -> R:
        extra = json.loads(_metadata(payload.data).get("extra", "null"))
        return build(load_tensors(payload.data), extra)

    def move(value: R, device: str) -> R:
        tensors, extra = split(value)
        return build({name: tensor.to(device) for name, tensor in tensors.items()}, extra)

    return Codec(
        fingerprint=lambda value: _digest(tag, *split(value)),
        size=lambda value: _size(split(value)[0]),
        encode=lambda value: _encode(*split(value)),
        decode=decode,
        verify=verify,
        place=lambda value: _place(next(iter(split(value)[0].values()))),
        move=move,
    )


def _split_latent(value: Latent) -> tuple[Tensors, object]:
    tensors = {"samples": value.samples}
    if value.mask is not None:
        tensors["mask"] = value.mask
    if value.surroundings is not None:
        tensors["surroundings"] = value.surroundings
    # Said only where it is not as usual, so that latents from before it are what they were.
    free = {} if value.keeps else {"keeps": False}
    return tensors, {"downscale": value.downscale, "seeds": list(value.seeds), **free}


def _build_latent(tensors: Tensors, extra: Any) -> Latent:
    return Latent(
        tensors["samples"],
        extra["downscale"],
        tensors.get("mask"),
        tensors.get("surroundings"),
        tuple(extra["seeds"]),
        extra.get("keeps", True),
    )


def _split_conditioning(value: Conditioning) -> tuple[Tensors, object]:
    """Its tensors by name, those of controls and of further prompts behind their place."""
    tensors = {"hidden": value.hidden}
    if value.pooled is not None:
        tensors["pooled"] = value.pooled
    if value.mask is not None:
        tensors["mask"] = value.mask
    controls = []
    for place, control in enumerate(value.controls):
        tensors[f"controls.{place}"] = control.image
        controls.append(_split_control(control))
    also = []
    for place, other in enumerate(value.also):
        parts, rest = _split_conditioning(other)
        tensors |= {f"also.{place}.{name}": tensor for name, tensor in parts.items()}
        also.append(rest)
    rest = {name: getattr(value, name) for name in ("strength", "start", "end", "area")}
    rest |= {"extra": dict(value.extra), "controls": controls, "also": also}
    if value.states:
        # How many tensors each name has; 0 for one that stands alone.
        counts = {}
        for name, state in value.states.items():
            alone = isinstance(state, torch.Tensor)
            several = (state,) if isinstance(state, torch.Tensor) else state
            tensors |= {f"states.{name}.{place}": part for place, part in enumerate(several)}
            counts[name] = 0 if alone else len(several)
        rest["states"] = counts
    if value.images:
        tensors |= {f"images.{place}": one.hidden for place, one in enumerate(value.images)}
        rest["images"] = [
            {name: getattr(one, name) for name in ("strength", "start", "end")}
            | {"adapter": asdict(one.adapter)}
            for one in value.images
        ]
    return tensors, rest


def _build_conditioning(tensors: Tensors, rest: Any) -> Conditioning:
    def inner(prefix: str) -> Tensors:
        return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}

    return Conditioning(
        tensors["hidden"],
        tensors.get("pooled"),
        rest["extra"],
        controls=tuple(
            _build_control(control, image)
            for control, image in zip(rest["controls"], _numbered(tensors), strict=True)
        ),
        mask=tensors.get("mask"),
        area=None if rest["area"] is None else tuple(rest["area"]),
        strength=rest["strength"],
        start=rest["start"],
        end=rest["end"],
        also=tuple(
            _build_conditioning(inner(f"also.{place}."), other)
            for place, other in enumerate(rest["also"])
        ),
        states={
            name: tuple(tensors[f"states.{name}.{place}"] for place in range(count))
            if count
            else tensors[f"states.{name}.0"]
            for name, count in rest.get("states", {}).items()
        },
        images=tuple(
            ImagePrompt(
                **{**image, "adapter": _recipe(image["adapter"])}, hidden=tensors[f"images.{place}"]
            )
            for place, image in enumerate(rest.get("images", []))
        ),
    )


def _split_control(control: Control) -> dict[str, object]:
    """What is not its picture; what most controls do not have is left out."""
    plain = {name: getattr(control, name) for name in ("strength", "start", "end")}
    rest: dict[str, object] = {**plain, "network": asdict(control.network)}
    rest |= {} if control.vae is None else {"vae": asdict(control.vae)}
    return rest | ({"mode": control.mode} if control.mode else {})


def _build_control(rest: Any, image: torch.Tensor) -> Control:
    recipes = {name: _recipe(rest[name]) for name in ("network", "vae") if name in rest}
    return Control(**{**rest, **recipes}, image=image)


def _numbered(tensors: Tensors) -> list[torch.Tensor]:
    count = sum(name.startswith("controls.") for name in tensors)
    return [tensors[f"controls.{place}"] for place in range(count)]


def _recipe(fields: dict[str, Any]) -> Recipe:
    """A recipe back from JSON, which has lists for tuples."""
    patches = tuple(Patch(**patch) for patch in fields["patches"])
    return Recipe(**{**fields, "patches": patches, "files": tuple(fields["files"])})


IMAGE = tensor_codec("image", _verify_image, pictures)
MASK = tensor_codec(
    "mask",
    _verify_tensor("a Mask, a float tensor [batch, height, width]", 3),
    lambda mask: pictures(mask.unsqueeze(-1)),
)
LATENT = record_codec("latent", Latent, _split_latent, _build_latent)
CONDITIONING = record_codec("conditioning", Conditioning, _split_conditioning, _build_conditioning)


def join_files(parts: Sequence[tuple[PayloadFormat, bytes]]) -> bytes:
    """Several payloads as one safetensors file: byte tensors named `000000.json`, `000001...`."""
    return save_tensors(
        {
            f"{index:06d}.{form}": torch.frombuffer(bytearray(data), dtype=torch.uint8)
            for index, (form, data) in enumerate(parts)
        }
    )


def split_files(data: bytes) -> list[tuple[PayloadFormat, bytes]]:
    """The way back from `join_files`."""
    parts = load_tensors(data)
    return [
        ("json" if name.endswith(".json") else "safetensors", parts[name].numpy().tobytes())
        for name in sorted(parts)
    ]
