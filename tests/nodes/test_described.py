"""Every node of these packs says what it and each of its inputs and outputs is."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

from nodeflow.declaration import read_node
from nodeflow.sockets import SHARED
from nodeflow.spec import MARK, NodeSpec

SOCKETS = {socket.of: socket.name for socket in SHARED if socket.of is not None}


def specs() -> Iterator[NodeSpec]:
    for pack in ("image", "upscale", "logic"):
        package = importlib.import_module(f"nodeflow_nodes.{pack}")
        for found in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{found.name}")
            for member in vars(module).values():
                if hasattr(member, MARK) and member.__module__ == module.__name__:
                    yield read_node(member, pack, SOCKETS)


@pytest.mark.parametrize("spec", list(specs()), ids=lambda spec: spec.id)
def test_node_inputs_and_outputs_are_described_and_placed(spec: NodeSpec) -> None:
    assert spec.description
    assert spec.category.split("/")[0] == spec.pack
    assert [item.name for item in spec.inputs if not item.description] == []
    if len(spec.outputs) > 1:
        assert [item.name for item in spec.outputs if not item.description] == []


def test_no_two_nodes_share_a_title() -> None:
    titles = [spec.title for spec in specs()]
    assert sorted(titles) == sorted(set(titles))


def test_files_run_on_their_own_lane_and_networks_on_the_device() -> None:
    lanes = {spec.id: spec.on for spec in specs()}
    assert {name for name, lane in lanes.items() if lane == "io"} == {
        "image.compare",
        "image.load",
        "image.save",
        "image.show",
        "upscale.load_upscaler",
    }
    assert {name for name, lane in lanes.items() if lane == "device"} == {"upscale.upscale"}
