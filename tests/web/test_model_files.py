"""What is told of files of models where one is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from safetensors.numpy import save_file

from tests.server.conftest import Served
from tests.web.conftest import Editor, tools

MODULE = "lora_unet_down_blocks_1_attentions_0_attn2_to_k"


@pytest.fixture
def loras(server: Served) -> Iterator[Path]:
    """Two that are the same, and one that is cut short."""
    folder = server.folder / "data" / "models" / "loras"
    folder.mkdir(parents=True, exist_ok=True)
    ink, twin, cut = (folder / f"{name}.safetensors" for name in ("ink", "x", "cut"))
    down, up = np.zeros((4, 2048), np.float16), np.zeros((64, 4), np.float16)
    save_file({f"{MODULE}.lora_down.weight": down, f"{MODULE}.lora_up.weight": up}, ink)
    twin.write_bytes(ink.read_bytes())
    cut.write_bytes(ink.read_bytes()[:-10])
    yield folder
    for file in (ink, twin, cut):
        file.unlink()


@pytest.mark.usefixtures("loras")
def test_a_list_of_models_says_what_each_is_and_which_are_the_same(editor: Editor) -> None:
    editor.load(tools("ink", ink=("diffusion.load_lora", {"file": "ink.safetensors"}, (0, 0))))
    chosen = editor.node("Load LoRA").get_by_role("combobox", name="file")
    chosen.click()
    editor.button("Refresh").click()

    choices = editor.page.get_by_role("listbox", name="file")
    ink = choices.get_by_role("option", name="ink.safetensors")
    expect(ink).to_have_accessible_description(
        "stable_diffusion_xl, fp16 the same as x.safetensors"
    )
    expect(ink).to_contain_text("the same as x.safetensors")
    cut = choices.get_by_role("option", name="cut.safetensors")
    expect(cut).to_contain_text("cut.safetensors are truncated")
    expect(cut).not_to_contain_text("the same as")

    choices.get_by_role("option", name="x.safetensors", exact=True).click()
    expect(chosen).to_have_attribute(
        "title", "x.safetensors\nstable_diffusion_xl, fp16\nthe same as ink.safetensors"
    )


def test_models_that_are_missing_are_told_once_and_briefly_on_templates(editor: Editor) -> None:
    page = editor.page
    page.keyboard.press("Control+k")
    page.keyboard.type("templates")
    page.keyboard.press("Enter")
    card = page.get_by_role("dialog", name="Templates").get_by_role("button", name="Flux Draws")
    expect(card).to_contain_text("flux1-dev.safetensors")
    expect(card).to_contain_text("and 3 more")
    box = card.bounding_box()
    assert box is not None
    assert box["height"] < 400

    card.click()
    page.wait_for_selector("[data-canvas][data-ready]")
    page.keyboard.press("Control+Enter")
    dialog = page.get_by_role("dialog", name="Some things are missing")
    expect(dialog).to_contain_text("clip_l.safetensors")
    expect(page.get_by_role("region", name="Messages").get_by_role("alert")).to_have_count(0)
