"""Loaded models: told of, and let go when the code that loaded them is another."""

from __future__ import annotations

from functools import partial

from nodeflow.devices import Device
from nodeflow.models.memory import ModelMemory
from nodeflow.sockets import Recipe


def loader(module: str):
    def load() -> str:
        return f"loaded by {module}"

    load.__module__ = module
    return load


def fill(memory: ModelMemory, **modules: str) -> None:
    for name, module in modules.items():
        recipe = Recipe(f"/models/{name}.safetensors", name, "vae", "toy")
        memory.get(recipe, Device(), loader(module), lambda model: 100)


def names(memory: ModelMemory) -> list[str]:
    return [model["name"] for model in memory.info()["models"]]


def test_what_is_loaded_is_told_without_its_folder():
    memory = ModelMemory(1000)
    fill(memory, one="pack.load", two="pack.load")
    assert memory.info() == {
        "budget": 1000,
        "bytes": 200,
        "models": [
            {
                "name": f"{name}.safetensors",
                "part": "vae",
                "family": "toy",
                "device": "cpu",
                "bytes": 100,
            }
            for name in ("one", "two")
        ],
    }


def test_models_of_an_edited_package_are_let_go():
    memory = ModelMemory()
    fill(memory, inner="pack.load", own="pack", other="package", more="elsewhere.pack")
    recipe = Recipe("/models/part.bin", "p", "vae", "toy")
    memory.get(recipe, Device(), partial(loader("pack.deep.inside")), lambda model: 1)
    memory.forget(["pack"])
    assert names(memory) == ["other.safetensors", "more.safetensors"]


def test_where_files_lie_does_not_matter():
    memory = ModelMemory()
    for place in ("/here", "/there"):
        recipe = Recipe(f"{place}/a", "d", "text_encoder", "toy", files=(f"{place}/b",))
        memory.get(recipe, Device(), loader("toys"), lambda model: 1)
    assert len(memory.info()["models"]) == 1
