"""A GPU that is not there: its tensors lie in RAM, and are told apart by their storages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

NAME = "mps"
"""A device that torch knows everywhere, and streams nothing ahead to."""


class PretendedGpu(TorchFunctionMode):
    """While it is open, what is brought to a GPU is copied and counted, and no operation may mix
    what lies there with what lies in RAM.

    Attributes:
        most: Bytes that were brought there and lay there at once, at most.
    """

    def __init__(self) -> None:
        super().__init__()
        self.most = 0
        self._there: dict[int, tuple[StorageWeakRef, int]] = {}
        self._operations = _Operations(self)

    def __enter__(self) -> PretendedGpu:
        super().__enter__()
        self._operations.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._operations.__exit__(*error)
        super().__exit__(*error)

    def holds(self, tensor: Tensor) -> bool:
        """Whether a tensor lies there."""
        if tensor.is_meta:
            return False
        found = self._there.get(tensor.untyped_storage()._cdata)
        return found is not None and not found[0].expired()

    def take(self, tensor: Tensor, brought: int = 0) -> Tensor:
        """Let a tensor lie there; `brought` bytes of it count."""
        storage = tensor.untyped_storage()
        self._there = {key: one for key, one in self._there.items() if not one[0].expired()}
        self._there.setdefault(storage._cdata, (StorageWeakRef(storage), brought))
        self.most = max(self.most, self.now)
        return tensor

    @property
    def now(self) -> int:
        """Bytes that were brought there and still lie there."""
        return sum(size for ref, size in self._there.values() if not ref.expired())

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = dict(kwargs or {})
        if func == Tensor.device.__get__:  # type: ignore[attr-defined]  # a getter of C
            return torch.device(NAME) if self.holds(args[0]) else func(*args)
        if func in (Tensor.to, Tensor.cpu):
            return self._moved(func, args, kwargs)
        device = kwargs.get("device")
        if device is None or torch.device(device).type != NAME:
            return func(*args, **kwargs)
        return self.take(func(*args, **(kwargs | {"device": "cpu"})))

    def _moved(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Tensor:
        tensor, *rest = args
        to = kwargs.pop("device", "cpu" if func is Tensor.cpu else None)
        left: list[torch.dtype] = []
        for one in rest:
            if isinstance(one, str | torch.device):
                to = one
            elif isinstance(one, Tensor):
                to = one.device
                left.append(one.dtype)
            elif isinstance(one, torch.dtype):
                left.append(one)
        before = self.holds(tensor)
        after = before if to is None else torch.device(to).type == NAME
        kwargs.pop("non_blocking", None)
        found: Tensor = tensor.to(*left, **kwargs) if left or kwargs else tensor
        if after == before:
            return found
        self._operations.moving = True
        try:
            copied = found.detach().clone()
        finally:
            self._operations.moving = False
        return self.take(copied, copied.nbytes) if after else copied


class _Operations(TorchDispatchMode):
    """Sees what each operation reads."""

    def __init__(self, gpu: PretendedGpu) -> None:
        super().__init__()
        self._gpu = gpu
        self.moving = False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if self.moving:
            return found
        read = [one for one in tree_leaves((args, kwargs)) if isinstance(one, Tensor)]
        there = [one for one in read if self._gpu.holds(one)]
        if there:
            # Numbers may lie in RAM, and so may what rows are chosen by.
            apart = [one for one in read if one.ndim and not self._gpu.holds(one)]
            assert not apart or "index" in str(func), f"{func} reads RAM and the GPU at once"
            for made in tree_leaves(found):
                if isinstance(made, Tensor) and not self._gpu.holds(made):
                    self._gpu.take(made)
        return found
