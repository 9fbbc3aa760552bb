"""Hooks of packs say what they know in a process without torch, or nothing at all."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from nodeflow.checking.checker import check
from nodeflow.packs import Found, find_packs
from nodeflow.roots import Roots
from nodeflow.server.light_hooks import HeavyImportError, LightRegistry, heavy_refused
from nodeflow.workflow import Workflow

NODES = """
import jax
from nodeflow import node
from hooked.checks import of_half

@node(check=of_half)
def half(value: int) -> int:
    return value // 2
"""
SAYS = """
def of_half(value):
    if value % 2:
        raise ValueError(f"{value} has no half")
"""
TEXT_TO_IMAGE = Path(__file__).parents[2] / "workflows" / "text_to_image.json"
WORKFLOW = Workflow.from_data(
    {"nodeflow": 1, "name": "w", "nodes": {"a": {"type": "hooked.half", "inputs": {"value": 3}}}}
)


@pytest.fixture
def heavy(tmp_path, monkeypatch):
    """A library that the server must not import, and that could be."""
    (tmp_path / "heavy").mkdir()
    (tmp_path / "heavy" / "jax.py").write_text('"""A heavy library."""\n')
    monkeypatch.syspath_prepend(tmp_path / "heavy")
    yield
    sys.modules.pop("jax", None)


def forget():
    """As a process has it that has read no pack."""
    for name in [name for name in sys.modules if name.split(".")[0] in ("hooked", "jax")]:
        del sys.modules[name]


def found_in(shelf):
    found = find_packs([shelf.folder])
    return Found(tuple(pack for pack in found.packs if pack.by_path), found.errors)


def server_registry(shelf, checks):
    """What a server has of a pack that a worker has read."""
    shelf.write("hooked", nodes=NODES, checks=checks)
    registry = shelf.registry(remember=True)
    assert not registry.errors
    forget()
    return LightRegistry.remembered(found_in(shelf), shelf.memory)


def sentences(registry):
    checked = check(WORKFLOW, registry, Roots({}))
    assert {problem.code for problem in checked.errors} <= {"check_failed", "broken_pack"}
    return [problem.sentence for problem in checked.errors]


def test_a_hook_of_a_light_module_is_asked(shelf, heavy):
    (said,) = sentences(server_registry(shelf, SAYS))
    assert "3 has no half" in said
    assert "jax" not in sys.modules
    assert "hooked.nodes" not in sys.modules


@pytest.mark.parametrize(
    "checks",
    [
        f"import jax\n{SAYS}",
        "def of_half(value):\n    import jax\n    raise ValueError('never said')\n",
        "def of_half(value):\n    try:\n        import jax\n    except ImportError as error:\n"
        "        raise ValueError('it is not there') from error\n",
    ],
)
def test_a_hook_that_needs_a_heavy_library_says_nothing_here(shelf, heavy, checks):
    registry = server_registry(shelf, checks)
    for _ in range(2):
        assert sentences(registry) == []
        assert "jax" not in sys.modules


def test_a_hook_that_fails_for_another_reason_is_told_of(shelf, heavy):
    broken = server_registry(shelf, "def of_half(value):\n    return value.none\n")
    (said,) = sentences(broken)
    assert "its pack raised AttributeError" in said


def test_the_source_of_a_pack_that_nobody_has_read_is_not_run(shelf, heavy):
    server_registry(shelf, SAYS)
    forget()
    shelf.write("hooked", checks="raise SystemExit('it was imported')\n")
    registry = LightRegistry.remembered(found_in(shelf), shelf.memory)
    assert registry.pending == ("hooked",)
    assert sentences(registry) == []
    assert "hooked.checks" not in sys.modules


def test_only_the_thread_that_asked_is_refused(heavy):
    forget()
    caught = []

    def elsewhere():
        try:
            importlib.import_module("jax")
        except ImportError as error:
            caught.append(error)

    with heavy_refused():
        with pytest.raises(HeavyImportError, match="'jax' is imported by workers only"):
            importlib.import_module("jax")
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    assert not caught
    forget()
    assert importlib.import_module("jax").__doc__ == "A heavy library."


PROBE = """
import sys
from pathlib import Path
from nodeflow.checking.checker import check
from nodeflow.server.catalog import NodeCatalog
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow
catalog = NodeCatalog(Settings(cache=Path(sys.argv[1]), data=Path(sys.argv[2])))
catalog.load()
assert not [name for name in sys.modules if name.split(".")[0] == "nodeflow_nodes"]
workflow = Workflow.load(Path(sys.argv[3]))
problems = check(workflow, catalog.registry, catalog.roots).problems
assert "nodeflow_nodes.diffusion.hooks" in sys.modules
print([problem.code for problem in problems])
heavy = {"torch", "diffusers", "transformers"} & set(sys.modules)
assert not heavy, heavy
"""


def test_the_built_in_packs_are_checked_by_their_hooks_without_torch(house):
    house.open()
    assert house.engine is not None
    assert not house.engine.registry.errors
    folders = [str(house.folder / "cache"), str(house.folder / "data")]
    command = [sys.executable, "-c", PROBE, *folders, str(TEXT_TO_IMAGE)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
