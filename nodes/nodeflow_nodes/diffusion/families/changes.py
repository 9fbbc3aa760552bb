"""What is done to the networks of a model: the seam between families and changes.

LoRA files laid over a network, weights in fewer bits, streaming to a GPU and step caches are
changes. A family hands a change each of its networks as a `Part`, which carries what the family
alone knows of it, and takes what it gives in the network's place. So no family asks which change it
has, and no change asks which family: one that is not for a part gives its network back, and one
that cannot be made of it says so in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from torch import Tensor

Convert = Callable[[dict[str, Tensor]], Mapping[str, Tensor]]
"""The tensors of a whole LoRA file to the same under the names that a network's modules have."""


@dataclass(frozen=True)
class Part:
    """One of a model's networks, and what its family knows of it.

    Attributes:
        name: What it is to the model: `denoiser`, `text_encoder`, `text_encoder_2`, ...
        network: The network.
        noise: `high` or `low` where it is one of two denoisers; empty for one that is for both.
        convert: For LoRA files that name modules in ways which are not known here.
        called: What people know it by, for logs and errors.
    """

    name: str
    network: Any
    noise: str = ""
    convert: Convert | None = None
    called: str = "the network"


class Change(Protocol):
    """Makes one network of another."""

    def __call__(self, part: Part, /) -> Any:
        """The network to take in place of a part's: a twin that shares what is not changed, the
        network itself where there is nothing to do, or the network changed in place where nobody
        else may have it, which the change then says.

        Raises:
            InputError: It cannot be made of this network.
        """
        ...
