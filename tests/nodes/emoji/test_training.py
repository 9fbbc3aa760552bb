"""The pure parts of the training scripts."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from nodeflow_nodes.emoji.training import captions, diffusion
from nodeflow_nodes.emoji.training.clock import cosine_rate
from nodeflow_nodes.emoji.training.data import (
    APOSTROPHE,
    Picture,
    icon_svg,
    is_wanted,
    render,
    slug,
)
from nodeflow_nodes.emoji.training.muon import orthogonalise
from nodeflow_nodes.emoji.training.recolour import main_hue, recolour, recoloured_copies
from nodeflow_nodes.emoji.training.retrieval import ranks, retrieval
from nodeflow_nodes.emoji.training.tokenizer import build_tokenizer, train_merges
from PIL import Image

APPLE = Picture("fluent", "apple", ("fruit", "food", "health"))


def disc(colour: tuple[int, int, int]) -> np.ndarray:
    """A picture (64, 64, 3) with a disc of one colour and a grey bar on white."""
    y, x = np.mgrid[:64, :64]
    picture = np.full((64, 64, 3), 255, np.uint8)
    picture[(y - 32) ** 2 + (x - 32) ** 2 < 400] = colour
    picture[:4] = 128
    return picture


def test_a_tenth_of_the_captions_is_empty() -> None:
    chance = random.Random(0)
    drawn = [captions.draw_caption(APPLE, chance) for _ in range(4000)]
    assert drawn.count("") / len(drawn) == pytest.approx(0.1, abs=0.02)


def test_every_wording_of_a_picture_is_drawn() -> None:
    chance = random.Random(0)
    drawn = {captions.draw_caption(APPLE, chance) for _ in range(4000)}
    expected = {"fluent emoji of apple", "fluent apple", "apple", "an apple", "apple emoji"}
    assert expected <= drawn


def test_tags_are_drawn_under_the_style_of_the_picture() -> None:
    text = captions.tags_caption(APPLE, random.Random(0))
    assert text.startswith("fluent emoji of ")
    assert set(text.removeprefix("fluent emoji of ").split()) <= {*APPLE.tags, "apple"}


def test_loss_weights_keep_the_noisiest_steps_and_damp_the_clean_ones() -> None:
    weights = diffusion.loss_weights(torch.tensor([0.99, 0.5, 0.01]))
    assert weights.tolist() == pytest.approx([0.05, 1.0, 1.0], rel=1e-4)


def test_the_velocity_gives_the_latents_back() -> None:
    latents, noise = torch.randn(2, 3, 16, 8, 8)
    alpha = torch.tensor([0.9, 0.5, 0.01])
    noisy, velocity = diffusion.noised(latents, noise, alpha)
    a, s = alpha.sqrt().view(-1, 1, 1, 1), (1 - alpha).sqrt().view(-1, 1, 1, 1)
    torch.testing.assert_close(a * noisy - s * velocity, latents)


def test_timesteps_cover_all_steps_but_favour_the_noisiest() -> None:
    steps = diffusion.sample_timesteps(20000, 0.5, torch.Generator().manual_seed(0))
    assert 0 <= int(steps.min()) < 10
    assert 990 < int(steps.max()) < 1000
    assert float((steps >= 800).float().mean()) == pytest.approx(0.6, abs=0.02)


def test_a_seed_gives_the_same_noise_in_any_batch() -> None:
    torch.testing.assert_close(
        diffusion.seeded_latents([3, 7])[1], diffusion.seeded_latents([7])[0], rtol=0, atol=0
    )


def test_recolouring_turns_the_main_colour_and_leaves_grey() -> None:
    blue = recolour(disc((220, 30, 30)), 152)
    assert blue[32, 32, 2] > 2 * blue[32, 32, 0]
    assert (blue[:4] == 128).all()


def test_the_main_hue_is_that_of_the_disc() -> None:
    hue, part = main_hue(disc((30, 200, 30)))
    assert abs(hue - 85) <= 1
    assert part == 1.0


def test_only_pictures_without_a_colour_in_the_label_are_recoloured() -> None:
    pictures = [APPLE, Picture("fluent", "red heart", ())]
    pixels = np.stack([disc((220, 30, 30))] * 2)
    labels = [copy.label for copy, _ in recoloured_copies(pictures, pixels, 2)]
    assert len(labels) == 2
    assert all(label.endswith(" apple") for label in labels)
    assert "red apple" not in labels


def test_the_rank_counts_the_pictures_nearer_than_the_one_asked() -> None:
    pictures = torch.arange(20.0).view(20, 1)
    drawn = torch.tensor([[3.1], [8.0]])
    assert ranks(drawn, pictures, torch.tensor([3, 19])).tolist() == [0, 19]
    found = retrieval(drawn, pictures, torch.tensor([3, 19]))
    assert (found.nearest, found.top_ten) == (0.5, 0.5)


def test_orthogonalising_brings_the_singular_values_near_one() -> None:
    matrix = torch.randn(16, 40, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonalise(matrix))
    assert float(values.min()) > 0.5
    assert float(values.max()) < 1.4


def test_the_rate_warms_up_and_ends_low() -> None:
    assert cosine_rate(0.01) == 1.0
    assert cosine_rate(1.0) == pytest.approx(0.01)


def test_the_tokenizer_spells_words_it_has_never_seen() -> None:
    tokenizer = build_tokenizer(train_merges(["red apple", "green apple"] * 5, 600))
    numbers = tokenizer("apple zébra").input_ids
    assert tokenizer.convert_ids_to_tokens(numbers)[1] == "apple</w>"
    assert numbers.count(tokenizer.eos_token_id) == 1


def test_labels_become_icon_names() -> None:
    assert slug(f"Men{APOSTROPHE}s room") == "mens-room"
    assert slug("piñata") == "pinata"


def test_clocks_people_and_flags_are_left_out() -> None:
    apple = {"group": 4, "subgroup": 42, "label": "red apple"}
    assert is_wanted(apple)
    assert not is_wanted(apple | {"label": f"one o{APOSTROPHE}clock"})
    assert not is_wanted(apple | {"group": 1})
    assert not is_wanted(apple | {"group": 9})


def test_an_oblong_icon_is_drawn_in_the_middle_of_a_square() -> None:
    pytest.importorskip("resvg_py")
    body = '<rect width="32" height="16" fill="#f00"/>'
    icons = {"width": 32, "height": 16, "icons": {"bar": {"body": body}}, "aliases": {}}
    svg = icon_svg(icons, "bar")
    assert svg is not None
    assert icon_svg(icons, "none") is None
    picture = render(svg, 32)
    assert isinstance(picture, Image.Image)
    assert picture.getpixel((16, 16)) == (255, 0, 0)
    assert picture.getpixel((16, 2)) == (255, 255, 255)
