"""Keys: pinned, tagged, and moved by exactly what can change a result."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nodeflow.cache.disk import DiskStore
from nodeflow.errors import InputError
from nodeflow.keys import FileDigests, content_key, growing_key, node_key, output_key
from nodeflow.spec import NodeSpec

SPEC = NodeSpec(
    id="pack.blur", pack="pack", function="blur", module="pack", title="Blur", identity="version:1"
)


def test_keys_are_pinned():
    """A changed digest here makes every stored value a miss: let it be a seen decision."""
    assert node_key(SPEC, {}, {}, []) == "617736405e2c34ff7c8332704ab17e76"
    full = node_key(
        SPEC, {"radius": 2.5, "on": True}, {"file": "00ff"}, [("image", "k.image")], "cpu|fp32"
    )
    assert full == "f9edf5bdeea5f612e45e243060ce425f"
    assert output_key("k", "image") == "k.image"
    assert content_key("f") == "content.f"
    assert growing_key(["a", "b"]) == "grow[a,b]"


def test_each_part_of_a_node_moves_its_key():
    base = {"literals": {"a": 1}, "files": {"f": "1"}, "links": [("x", "k")], "surroundings": "s"}
    others = [
        base | {"literals": {"a": 2}},
        base | {"literals": {"a": True}},
        base | {"literals": {"a": 1.0}},
        base | {"literals": {"a": "1"}},
        base | {"literals": {"a": None}},
        base | {"literals": {"b": 1}},
        base | {"files": {"f": "2"}},
        base | {"files": {"g": "1"}},
        base | {"literals": {"a": 1, "f": "1"}, "files": {}},
        base | {"links": [("y", "k")]},
        base | {"links": [("x", "l")]},
        base | {"links": []},
        base | {"surroundings": "t"},
    ]
    keys = [node_key(SPEC, **other) for other in (base, *others)]
    keys.append(node_key(SPEC.model_copy(update={"id": "pack.sharpen"}), **base))
    keys.append(node_key(SPEC.model_copy(update={"identity": "version:2"}), **base))
    assert len(set(keys)) == len(keys)


def test_kinds_of_keys_never_collide():
    made = {output_key("k", "o"), content_key("k"), growing_key(["k"]), growing_key(["k", "k"])}
    assert len(made) == 4
    assert growing_key(["a,b"]) != growing_key(["a", "c"])


names = st.text("abcdefghij", min_size=1, max_size=6)
literals = st.integers(-5, 5)


@given(value=literals, other=literals, x=st.floats(-1e6, 1e6), label=names)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_layout_names_and_order_never_move_a_key_but_values_always_do(
    house, flow, value, other, x, label
):
    engine = house.engine or house.open()

    def keys(a: int, first: str, **others) -> tuple[str, str, str]:
        last = f"{first}_last"
        nodes = {
            first: ("add", {"a": a, "b": 2}),
            "middle": ("add", {"a": f"@{first}", "b": 1}),
            last: ("halves", {"a": "@middle"}),
        }
        if others.pop("turn", False):
            nodes = dict(reversed(nodes.items()))
            nodes[first] = ("add", {"b": 2, "a": a})
        plan = engine.plan(flow(nodes, {"n": f"{last}.low"}, **others))
        return plan.keys[first], plan.keys["middle"], plan.keys[last]

    base = keys(value, "one")
    assert keys(value, f"x{label}") == base
    assert keys(value, "one", turn=True) == base
    assert keys(value, "one", layout={"nodes": {"one": {"at": [x, 0]}}}) == base
    assert keys(value, "one", name=label) == base
    if other != value:
        # It and all that depends on it.
        assert not set(keys(other, "one")) & set(base)


def test_the_type_of_a_node_moves_the_keys_of_all_that_depends_on_it(house, flow):
    engine = house.open()

    def keys(kind: str) -> dict[str, str]:
        nodes = {"a": (kind, {"a": 1}), "b": ("add", {"a": "@a"}), "c": ("number", {})}
        return dict(engine.plan(flow(nodes, {"b": "b", "c": "c"})).keys)

    one, other = keys("add"), keys("limited")
    assert one["a"] != other["a"]
    assert one["b"] != other["b"]
    assert one["c"] == other["c"]


def test_a_default_that_is_written_out_is_the_same_key(house, flow):
    engine = house.open()
    silent = engine.plan(flow({"a": ("add", {})}, {"n": "a"}))
    written = engine.plan(flow({"a": ("add", {"a": 0, "b": 1})}, {"n": "a"}))
    assert silent.keys == written.keys


def test_a_changed_file_changes_its_digest_and_an_equal_one_elsewhere_does_not(tmp_path):
    digests = FileDigests()
    file, twin = tmp_path / "a", tmp_path / "b"
    file.write_bytes(b"one")
    twin.write_bytes(b"one")
    first = digests.digest(file)
    assert digests.digest(twin) == first
    file.write_bytes(b"two")  # of the same size, within one tick of the clock
    assert digests.digest(file) != first
    file.write_bytes(b"one")
    assert digests.digest(file) == first


def test_digests_are_remembered_for_the_next_process_until_the_file_changes(tmp_path):
    file = tmp_path / "model"
    file.write_bytes(b"weights")
    os.utime(file, ns=(1, 1))
    store = DiskStore(tmp_path / "cache", 1 << 20)
    try:
        first = FileDigests(store).digest(file)
        stamp = file.stat()
        file.write_bytes(b"WEIGHTS")
        os.utime(file, ns=(stamp.st_mtime_ns, stamp.st_mtime_ns))
        # Same size, mtime and inode: taken from memory, which shows that it was not read again.
        assert FileDigests(store).digest(file) == first
        os.utime(file, ns=(5, 5))
        assert FileDigests(store).digest(file) != first
    finally:
        store.close()


def test_a_folder_counts_by_the_names_and_contents_of_its_files(tmp_path):
    folder = tmp_path / "model"
    (folder / "unet").mkdir(parents=True)
    (folder / "unet" / "weights").write_bytes(b"1")
    digests = FileDigests()
    first = digests.digest(folder)
    (folder / "unet" / "weights").rename(folder / "unet" / "other")
    renamed = digests.digest(folder)
    assert renamed != first
    (folder / "more").write_bytes(b"2")
    assert digests.digest(folder) not in (first, renamed)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path):
    with pytest.raises(InputError, match="cannot be read: No such file"):
        FileDigests().digest(tmp_path / "none")
