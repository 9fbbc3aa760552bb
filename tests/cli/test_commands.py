"""The commands that only look: check, nodes, models, schema, cache."""

import json
from pathlib import Path

import pytest

PACKS = Path(__file__).parent / "packs"


@pytest.fixture(autouse=True)
def _with_packs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODEFLOW_PACKS", str(PACKS))


def write(path: Path, inputs: dict[str, object], type_id: str = "clitools.add") -> Path:
    nodes = {"n": {"type": type_id, "inputs": inputs}}
    outputs = {"sum": {"node": "n", "output": "int"}}
    path.write_text(json.dumps({"nodeflow": 1, "nodes": nodes, "outputs": outputs}))
    return path


@pytest.fixture
def good(tmp_path: Path) -> Path:
    return write(tmp_path / "good.json", {"a": 1})


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    return write(tmp_path / "bad.json", {"a": 101, "c": 1})


def test_check_says_nothing_is_wrong(nodeflow, good):
    said = nodeflow("check", good)

    assert (said.code, said.err) == (0, "")
    assert said.out == f"{good}: nothing is wrong.\n"


def test_check_prints_every_problem_of_every_file_with_its_place(nodeflow, good, bad, tmp_path):
    said = nodeflow("check", bad, good, tmp_path / "absent.json")

    assert said.code == 2
    lines = said.err.splitlines()
    assert sum(line.startswith(f"{bad}#/nodes/n/inputs/") for line in lines) == 2
    assert sum(line.startswith(f"{tmp_path / 'absent.json'}#: ") for line in lines) == 1
    assert not any(line.startswith(str(good)) for line in lines)


def test_check_for_programs_is_one_document(nodeflow, good, bad):
    said = nodeflow("check", bad, good, "--json")

    assert said.code == 2
    first, second = json.loads(said.out)
    assert (first["ok"], second) == (False, {"file": str(good), "ok": True, "problems": []})
    assert {problem["input"] for problem in first["problems"]} == {"a", "c"}
    assert all(problem["code"] and problem["sentence"] for problem in first["problems"])


def test_nodes_lists_each_with_the_first_paragraph_of_its_docstring(nodeflow):
    said = nodeflow("nodes")

    assert said.code == 0
    assert (
        "under one divider in the editor: dragging it reveals more of one or the other"
        in " ".join(said.out.split())
    )
    assert "clitools.add" in said.out
    assert "Add two numbers." in said.out


def test_nodes_for_programs_has_schemas_and_socket_types(nodeflow):
    found = json.loads(nodeflow("nodes", "--json").out)

    a = found["nodes"]["clitools.add"]["inputs"][0]
    assert (a["name"], a["json_schema"]["maximum"], a["description"]) == ("a", 100, "One number.")
    assert found["sockets"]["Image"]["colour"]


def test_a_broken_pack_is_named_and_the_others_are_listed(nodeflow, tmp_path, monkeypatch):
    pack = tmp_path / "packs" / "broken_one"
    pack.mkdir(parents=True)
    (pack / "__init__.py").write_text("from nodeflow import node\nraise RuntimeError('no luck')\n")
    monkeypatch.setenv("NODEFLOW_PACKS", str(tmp_path / "packs"))

    said = nodeflow("nodes")

    assert said.code == 0
    assert "broken_one" in said.err
    assert "no luck" in said.err
    assert "logic." in said.out


def test_models_names_files_and_where_to_put_others(nodeflow, tmp_path, monkeypatch):
    monkeypatch.setenv("NODEFLOW_MODELS", str(tmp_path / "models"))
    (tmp_path / "models" / "loras").mkdir(parents=True)
    (tmp_path / "models" / "loras" / "ink.safetensors").touch()

    (line,) = [line for line in nodeflow("models").out.splitlines() if "ink" in line]
    assert line.startswith("  ink.safetensors  0 B; ")
    assert line.endswith("ink.safetensors is empty; fetch the file again.")
    (entry,) = json.loads(nodeflow("models", "--json").out)["loras"]
    assert (entry["name"], entry["size"]) == ("ink.safetensors", 0)
    assert str(tmp_path / "models" / "vae") in nodeflow("models").out


def test_schema_describes_a_workflow(nodeflow):
    schema = json.loads(nodeflow("schema").out)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"nodes", "inputs", "outputs", "groups", "layout"} <= schema["properties"].keys()


def test_the_cache_tells_what_it_holds_and_forgets_it(nodeflow, good, tmp_path):
    nodeflow("run", good)

    before = json.loads(nodeflow("cache", "info", "--json").out)
    cleared = nodeflow("cache", "clear")
    after = json.loads(nodeflow("cache", "info", "--json").out)

    assert before["entries"] >= 1
    assert Path(before["folder"]).is_relative_to(tmp_path / "cache")
    assert cleared.out.startswith("Freed ")
    assert (after["entries"], after["bytes"]) == (0, 0)
    assert "results  0" in nodeflow("cache", "info").out


def test_the_cache_can_be_pruned_to_a_size(nodeflow, good):
    nodeflow("run", good)

    kept = nodeflow("cache", "prune", "--to", "1 GB")
    assert json.loads(nodeflow("cache", "info", "--json").out)["entries"] >= 1
    gone = nodeflow("cache", "prune", "--to", "0")

    assert kept.out.startswith("Freed 0")
    assert gone.out.endswith("; 0 B are left.\n")
    assert json.loads(nodeflow("cache", "info", "--json").out)["entries"] == 0


def test_a_size_that_is_none_is_refused(nodeflow):
    said = nodeflow("cache", "prune", "--to", "some")

    assert said.code == 2
    assert "'some' is no size" in said.err
