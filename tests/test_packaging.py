"""What a release holds: the editor and the templates, and nothing that npm or Git left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
# The first releases of Python 3.11 know no filter; later ones warn without.
FILTER: Any = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}


def build(target: str, source: Path, goal: Path, **environment: str) -> Path:
    """A wheel or an sdist, made in this environment: nothing is fetched."""
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", str(goal)],
        cwd=source,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return next(goal.glob("*.whl" if target == "wheel" else "*.tar.gz"))


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    with tarfile.open(build("sdist", ROOT, folder)) as archive:
        archive.extractall(folder, **FILTER)
    return next(path for path in folder.iterdir() if path.is_dir())


def test_an_sdist_holds_the_editor_and_its_sources(sdist: Path) -> None:
    for name in ("nodeflow/server/site/index.html", "web/src", "web/package-lock.json", "schema"):
        assert (sdist / name).exists(), name
    assert not (sdist / "web" / "node_modules").exists()


def test_a_wheel_from_an_sdist_holds_the_editor_and_the_templates_and_needs_no_npm(
    sdist: Path, tmp_path: Path
) -> None:
    wheel = build("wheel", sdist, tmp_path, PATH=str(tmp_path / "empty"))

    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        page = archive.read("nodeflow/server/site/index.html")
    assert b"__NONCE__" in page
    assert any(name.startswith("nodeflow/server/site/assets/") for name in names)
    assert "nodeflow/templates/text_to_image.json" in names
    assert "nodeflow/templates/text_to_image.webp" in names
    assert "nodeflow/server/static/docs/index.html" in names
    assert len(names) == len(set(names))
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {
        "nodeflow",
        "nodeflow_nodes",
    }
