"""ModelFolders: what a node finds in the folders of models by itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nodeflow.devices import Device, DeviceFacts
from nodeflow.engine import Engine
from nodeflow.models.folders import ModelFolders
from nodeflow.roots import Roots
from nodeflow.settings import Settings
from nodeflow.workflow import Workflow

NODE = """
from nodeflow import ModelFolders, node

@node()
def names(kind: str, *, folders: ModelFolders) -> str:
    return " ".join(file.name for file in folders.files(kind))
"""


def test_files_of_a_kind_are_listed_from_all_folders_the_first_first(tmp_path: Path) -> None:
    for name in ("one/vae_approx/b.pth", "two/vae_approx/sub/a.pth", "two/vae/c.pth"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    roots = Roots.of([tmp_path / "one", tmp_path / "two"], tmp_path, [], anywhere=False)
    found = ModelFolders(roots).files("vae_approx")
    assert found == [tmp_path / "one/vae_approx/b.pth", tmp_path / "two/vae_approx/sub/a.pth"]


def test_what_leads_out_of_the_folders_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "models/vae_approx").mkdir(parents=True)
    (tmp_path / "secret").write_text("")
    (tmp_path / "models/vae_approx/way_out.pth").symlink_to(tmp_path / "secret")
    (tmp_path / "models/vae_approx/in.pth").write_text("")
    roots = Roots.of([tmp_path / "models"], tmp_path / "inputs", [], anywhere=False)
    assert [file.name for file in ModelFolders(roots).files("vae_approx")] == ["in.pth"]


def test_without_an_engine_there_are_none() -> None:
    assert ModelFolders().files("vae_approx") == []


def test_a_node_is_handed_the_folders_of_its_engine(
    tmp_path: Path, cache: Path, shelf: Any
) -> None:
    place = tmp_path / "models" / "vae_approx" / "small.pth"
    place.parent.mkdir(parents=True)
    place.write_text("")
    shelf.write("looking", nodes=NODE)
    settings = Settings(
        packs=(shelf.folder,),
        cache=cache,
        data=tmp_path / "data",
        models=(tmp_path / "models",),
    )
    flow = Workflow.from_data(
        {
            "nodeflow": 1,
            "nodes": {"look": {"type": "looking.names", "inputs": {"kind": "vae_approx"}}},
            "outputs": {"names": {"node": "look", "output": "str"}},
        }
    )
    with Engine(settings) as engine:
        engine.__dict__["device"] = DeviceFacts(Device(), "a device of the tests")
        assert engine.run(flow)["names"] == "small.pth"
