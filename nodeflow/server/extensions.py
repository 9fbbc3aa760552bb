"""Extensions: the parts of packs that run in the editor, found without importing any pack.

A pack may have a folder `web` beside its `__init__.py`, with plain ES modules; `web/index.js` is
the one that the editor imports.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from blake3 import blake3

from nodeflow.packs import PackSource
from nodeflow.server.paths import clean, inside
from nodeflow.server.problems import HttpError

FOLDER = "web"
ENTRY = "index.js"

KINDS = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""What is served, by the end of a file's name."""

_BUILT_IN = "nodeflow_nodes."


@dataclass(frozen=True)
class Extension:
    """What one pack brings to the editor.

    Attributes:
        enabled: It came with nodeflow, or the user wants it.
    """

    pack: str
    folder: Path
    enabled: bool

    def version(self) -> str:
        """Digest of all that is served of it.

        Raises:
            OSError: A file cannot be read.
        """
        hasher = blake3(b"extension\0")
        for path in sorted(self.folder.rglob("*")):
            name = path.relative_to(self.folder).as_posix()
            if path.suffix in KINDS and path.is_file():
                text = path.read_bytes()
                hasher.update(f"{name}\0{len(text)}\0".encode("utf-8", "surrogateescape"))
                hasher.update(text)
        return hasher.hexdigest(16)

    def file(self, name: str) -> tuple[Path, str]:
        """A file of it, and the `Content-Type` that it is served with.

        Raises:
            HttpError: 400 or 403, the name leads elsewhere; 404, there is no such file, or it is of
                a kind that is not served.
        """
        name = clean(name, "file")
        kind = KINDS.get(Path(name).suffix)
        if kind is None:
            raise HttpError(
                404, f"Of the pack '{self.pack}' only files that end with "
                f"{', '.join(KINDS)} are served, so not '{name}'."
            )  # fmt: skip
        path = inside(self.folder, name, "file").resolve()
        if not path.is_file():
            raise HttpError(404, f"The pack '{self.pack}' has no file '{FOLDER}/{name}'.")
        return path, kind


def find_extensions(packs: Sequence[PackSource], wanted: Collection[str]) -> list[Extension]:
    """The extensions of packs, in the order of the packs.

    Args:
        wanted: Names of the packs that the user enabled.
    """
    return [
        Extension(pack.name, pack.folder / FOLDER, _comes_along(pack) or pack.name in wanted)
        for pack in packs
        if (pack.folder / FOLDER / ENTRY).is_file()
    ]


def _comes_along(pack: PackSource) -> bool:
    return not pack.by_path and pack.module.startswith(_BUILT_IN)
