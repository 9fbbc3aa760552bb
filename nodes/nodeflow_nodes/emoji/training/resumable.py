"""A training that goes on from its checkpoint: weights, optimiser, average and time spent."""

from __future__ import annotations

from pathlib import Path

from torch import nn, optim

from nodeflow_nodes.emoji.training.clock import TrainingClock
from nodeflow_nodes.emoji.training.ema import Ema
from nodeflow_nodes.emoji.training.work import load_checkpoint, save_checkpoint


class Resumable:
    """What a training needs to stop at any moment and go on later.

    Attributes:
        step: Updates of the weights so far, earlier runs included.
        clock: Time spent so far, likewise.
    """

    def __init__(
        self, path: Path, model: nn.Module, optimizer: optim.Optimizer, ema: Ema, minutes: float
    ) -> None:
        self._path, self._model, self._optimizer, self._ema = path, model, optimizer, ema
        self.step, self.clock = 0, TrainingClock(minutes)
        if saved := load_checkpoint(path):
            model.load_state_dict(saved["model"])
            optimizer.load_state_dict(saved["optimizer"])
            ema.load(**saved["ema"])
            self.step, self.clock = saved["step"], TrainingClock(minutes, saved["spent"])

    def save(self) -> None:
        """Write the checkpoint; the file is whole at every moment."""
        state = {
            "model": self._model.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "ema": self._ema.state(),
            "step": self.step,
            "spent": self.clock.spent,
        }
        save_checkpoint(self._path, state)
