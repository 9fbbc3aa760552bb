"""Networks compiled by torch, for those who asked for it."""

from __future__ import annotations

import os
import shutil
from typing import TypeVar

from torch import nn

from nodeflow import Device, InputError

N = TypeVar("N", bound=nn.Module)


def compiled(network: N, device: Device) -> N:
    """The network, compiled at its first call if the device is one to compile for.

    Weights are frozen into the code, so that they are laid out as the machine multiplies them; a
    change of the latent's size compiles once more, then for every size.

    Raises:
        InputError: There is nothing to compile with.
    """
    if not device.compiled:
        return network
    if device.name == "cpu" and not any(
        map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))
    ):
        raise InputError(
            "compiling networks needs a C++ compiler, and there is none; install g++, or run "
            "without --compile"
        )
    network.compile(options={"freezing": True})
    return network
