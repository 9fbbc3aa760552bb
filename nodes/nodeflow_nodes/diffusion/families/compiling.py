"""Networks compiled by torch, for those who asked for it."""

from __future__ import annotations

import inspect
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import Any, TypeVar

import torch
from torch import nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.packing import unpacking

N = TypeVar("N", bound=nn.Module)

_KINDS = 64
"""So many kinds of blocks (widths, batches of one, lengths that vary) one class may be compiled
for, over all models of a process; torch's own limit of 8 would be reached by the second."""


def compiled(network: N, device: Device) -> N:
    """The network, compiled at its first call if the device is one to compile for.

    Compiled whole, weights are frozen into the code, so that they are laid out as the machine
    multiplies them. Of blocks they are what the code is given: it serves all blocks alike, and
    those of twins with other weights. Either way a change of the latent's size compiles once more,
    then for every size.

    Raises:
        InputError: There is nothing to compile with.
    """
    if not device.compiled:
        return network
    if device.name == "cpu" and not any(
        map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))
    ):
        option = "--compile-blocks" if device.compiled == "blocks" else "--compile"
        raise InputError(
            "compiling networks needs a C++ compiler, and there is none; install g++, or run "
            f"without {option}"
        )
    if device.compiled == "blocks":
        _compile_blocks(network)
    else:
        network.compile(options={"freezing": True})
    return network


def _compile_blocks(network: nn.Module) -> None:
    """Have the blocks that a network repeats compiled; the rest runs as it was written."""
    blocks = repeated_blocks(network)
    if not blocks:
        print(f"A {type(network).__name__} repeats no blocks, so nothing of it is compiled.")
    code: dict[type, Callable[..., Any]] = {}
    for block in blocks:
        kind = type(block)
        if kind not in code:
            code[kind] = torch.compile(kind.forward, **_limit())
        # The code cannot put weights into the blocks that a packed convolution keeps.
        unpacking(block)
        # Hooks stay outside of the code, so runs can be cancelled before each block; and a twin's
        # copy of the block is called with the twin's weights, as every bound method's is.
        block.forward = MethodType(code[kind], block)


def _limit() -> dict[str, Any]:
    """`_KINDS` for torch.compile, where it takes it; torch's own setting is one of each thread."""
    known = "recompile_limit" in inspect.signature(torch.compile).parameters
    return {"recompile_limit": _KINDS} if known else {}


def repeated_blocks(network: nn.Module) -> list[nn.Module]:
    """The blocks that a network repeats: those that diffusers says, else alike items of a list.

    Alike are those of one class with weights of the same shapes; with them come all others of
    their class, such as a last one that lacks a part.
    """
    names = set(getattr(network, "_repeated_blocks", None) or ())
    if names:
        return [block for block in network.modules() if type(block).__name__ in names]
    return list(_alike(network))


def _alike(module: nn.Module) -> Iterator[nn.Module]:
    for child in module.children():
        counts: Counter[object] = Counter()
        if isinstance(child, nn.ModuleList):
            counts.update(map(_shapes, child))
        kinds = {type(item) for item in child.children() if counts[_shapes(item)] > 1}
        if not kinds:
            yield from _alike(child)
            continue
        for item in child.children():
            if type(item) in kinds:
                yield item
            else:
                yield from _alike(item)


def _shapes(module: nn.Module) -> object:
    weights = tuple((name, weight.shape) for name, weight in module.named_parameters())
    return type(module), weights


@contextmanager
def as_written(network: nn.Module) -> Iterator[Callable[..., Any]]:
    """What to call in place of the network, so that nothing compiled is run while this is open:
    its code knows of no hooks within."""
    own = [
        (module, forward)
        for module in network.modules()
        if isinstance(forward := vars(module).get("forward"), MethodType)
    ]
    try:
        for module, _ in own:
            del module.forward
        yield network if getattr(network, "_compiled_call_impl", None) is None else network.forward
    finally:
        for module, forward in own:
            module.forward = forward
