"""ModelFolders: model files that a node looks for itself, since no input names them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nodeflow.errors import InputError
from nodeflow.roots import Roots


@dataclass(frozen=True)
class ModelFolders:
    """The service of nodes that look into the folders of models; `ModelFolders()` knows none.

    What is found so is not in a node's key: results must not depend on it, but what is shown while
    the node works may.

    Attributes:
        roots: The folders of each kind.
    """

    roots: Roots = Roots({})  # noqa: RUF009  # frozen

    def files(self, kind: str) -> list[Path]:
        """All files of a kind, such as `vae_approx`; those of the first folder first."""
        found: list[Path] = []
        for name in self.roots.files(kind):
            try:
                found.append(self.roots.resolve(kind, name))
            except InputError:
                # It has just gone, or leads out of the folders.
                continue
        return found
