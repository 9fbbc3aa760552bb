"""The registry: all packs as data; broken ones reported, the others unharmed, all remembered."""

import json
import subprocess
import sys

import pytest

from nodeflow.errors import PackError

NODE = (
    "from nodeflow import node\n\n@node()\ndef {name}(a: int = {default}) -> int:\n    return a\n"
)
BROKEN = {
    "raises": ("raise RuntimeError('no such library')", "RuntimeError: no such library"),
    "exits": ("import sys\nsys.exit(3)", "SystemExit: 3"),
    "misspelt": ("def f(:", "SyntaxError"),
    "lonely": ("import a_module_that_is_not_there", "ModuleNotFoundError"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_pack_is_reported_with_its_traceback_and_hurts_nobody(shelf, kind):
    source, says = BROKEN[kind]
    shelf.write("broken", nodes="from nodeflow import node\n" + source)
    shelf.write("sound", nodes=NODE.format(name="f", default=1))
    registry = shelf.registry()
    (error,) = registry.errors
    assert error.pack == "broken"
    assert says in error.sentence
    assert "Traceback" in error.trace
    assert "nodes.py" in error.trace
    assert registry.find("sound.f") is not None
    (told,) = registry.as_json()["errors"]
    assert told == {"pack": "broken", "sentence": error.sentence, "trace": error.trace}


def test_a_broken_package_is_imported_again_once_it_is_mended(shelf):
    shelf.write("mended", init="raise ValueError('half')", nodes=NODE.format(name="f", default=1))
    assert shelf.registry().errors
    shelf.write("mended", nodes=NODE.format(name="f", default=1))
    assert shelf.registry().find("mended.f") is not None


def test_an_edited_pack_is_read_anew_even_in_the_same_process(shelf):
    shelf.write("edited", nodes=NODE.format(name="f", default=1))
    before = shelf.registry(remember=True).specs["edited.f"]
    shelf.write("edited", nodes=NODE.format(name="f", default=2222))
    registry = shelf.registry(remember=True)
    after = registry.specs["edited.f"]
    assert (before.inputs[0].default, after.inputs[0].default) == (1, 2222)
    assert before.identity != after.identity
    assert registry.function(after)() == 2222
    assert shelf.registry(remember=True).specs["edited.f"] == after


def test_the_identity_follows_the_modules_that_a_node_imports(shelf):
    nodes = NODE.format(name="f", default=1) + "from .helper import H\n"
    shelf.write("linked", nodes=nodes, helper="H = 1\n", other="O = 1\n")
    first = shelf.registry().specs["linked.f"].identity
    shelf.write("linked", nodes=nodes, helper="H = 1\n", other="O = 22\n")
    assert shelf.registry().specs["linked.f"].identity == first
    shelf.write("linked", nodes=nodes, helper="H = 333\n", other="O = 22\n")
    assert shelf.registry().specs["linked.f"].identity != first


def test_a_version_stands_for_the_source(shelf):
    source = NODE.format(name="f", default=1).replace("@node()", '@node(version="7")')
    shelf.write("fixed", nodes=source)
    assert shelf.registry().specs["fixed.f"].identity == "version:7"


PROBE = """
import json, sys
from pathlib import Path
from nodeflow.packs import find_packs
from nodeflow.registry import Registry
registry = Registry.discover(find_packs([Path(sys.argv[1])]), Path(sys.argv[2]))
print(json.dumps({"specs": sorted(registry.specs), "errors": [str(e) for e in registry.errors],
                  "modules": sorted(sys.modules)}))
"""


def test_a_second_discovery_imports_no_pack_and_no_torch(shelf, known_specs):
    shelf.write("noted", nodes=NODE.format(name="f", default=1))

    def discover():
        command = [sys.executable, "-c", PROBE, str(shelf.folder), str(known_specs)]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
        return json.loads(done.stdout)

    first, second = discover(), discover()
    assert "noted.nodes" in first["modules"]
    assert first["specs"] == second["specs"]
    assert {"noted.f", "image.save", "nodeflow.until"} <= set(second["specs"])
    assert not second["errors"]
    loaded = set(second["modules"])
    assert not {"torch", "noted", "diffusers"} & loaded
    assert not [name for name in loaded if name.startswith("nodeflow_nodes.")]


def test_damaged_memories_are_read_anew(shelf):
    shelf.write("damaged", nodes=NODE.format(name="f", default=1))
    spec = shelf.registry(remember=True).specs["damaged.f"]
    (file,) = shelf.memory.glob("damaged-*.json")
    file.write_text('{"name": "dam')
    assert shelf.registry(remember=True).specs["damaged.f"] == spec


def test_specs_that_cannot_be_remembered_are_still_given(shelf):
    shelf.write("forgotten", nodes=NODE.format(name="f", default=1))
    shelf.memory.write_text("a file where a folder should be")
    assert shelf.registry(remember=True).find("forgotten.f") is not None


def test_earlier_ids_lead_to_todays(shelf):
    source = NODE.format(name="f", default=1).replace("@node()", '@node(was=["old.a", "old.b"])')
    shelf.write("renamed", nodes=source)
    registry = shelf.registry()
    assert registry.find("old.b") is registry.find("renamed.f")
    assert registry.find("old.c") is None


def test_two_nodes_that_claim_one_earlier_id_are_reported(shelf):
    for name in ("one", "two"):
        source = NODE.format(name="f", default=1).replace("@node()", '@node(was="old.f")')
        shelf.write(name, nodes=source)
    (error,) = shelf.registry().errors
    assert "'old.f'" in error.sentence
    assert "'one.f'" in error.sentence


PALETTE = '''
from dataclasses import dataclass
from blake3 import blake3
from nodeflow import SocketType, node
from nodeflow.values import Codec, Payload

@dataclass(frozen=True)
class Palette:
    colours: str

def _verify(value: object) -> None:
    if not isinstance(value, Palette):
        raise ValueError("no palette")

CODEC = Codec(
    fingerprint=lambda value: blake3(value.colours.encode()).hexdigest(),
    size=lambda value: len(value.colours),
    encode=lambda value: Payload("json", b'"' + value.colours.encode() + b'"'),
    decode=lambda payload: Palette(payload.data.decode().strip('"')),
    verify=_verify,
)
PALETTE = SocketType("Palette", of=Palette, codec="painter.palette:CODEC", colour="#123456")

@node()
def mix(base: Palette, others: list[Palette]) -> Palette:
    """Mix."""
    return base
'''


def test_a_packs_own_socket_type_travels_through_the_registry(shelf):
    shelf.write("painter", palette=PALETTE)
    shelf.registry(remember=True)
    for module in ("painter", "painter.palette"):
        del sys.modules[module]
    # Now from memory, as a second process has it: the codec is imported when it is needed.
    registry = shelf.registry(remember=True)
    assert "painter" not in sys.modules
    socket = next(item for item in registry.sockets if item.name == "painter.Palette")
    assert socket.colour == "#123456"
    spec = registry.specs["painter.mix"]
    assert [port.type for port in spec.inputs] == ["painter.Palette", "list[painter.Palette]"]
    codec = registry.codecs.of("list[painter.Palette]")
    kind = sys.modules["painter.palette"].Palette
    values = [kind("red"), kind("blue")]
    assert codec.decode(codec.encode(values)) == values
    assert codec.size(values) > 7
    assert codec.fingerprint(values) != codec.fingerprint(values[::-1])


def test_a_node_whose_module_is_gone_is_an_error_of_its_pack(shelf):
    package = shelf.write("vanished", nodes=NODE.format(name="f", default=1))
    spec = shelf.registry(remember=True).specs["vanished.f"]
    registry = shelf.registry(remember=True)
    (package / "nodes.py").unlink()
    for module in ("vanished", "vanished.nodes"):
        del sys.modules[module]
    with pytest.raises(PackError, match=r"vanished\.nodes"):
        registry.function(spec)
