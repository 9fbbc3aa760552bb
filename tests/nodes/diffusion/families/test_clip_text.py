from __future__ import annotations

from pathlib import Path

import pytest
import torch
from diffusers import StableDiffusionPipeline
from nodeflow_nodes.diffusion.families.clip_text import ClipText

from nodeflow import Device, Precision

POSITIONS = 16


@pytest.fixture(scope="module")
def clip(folder: Path) -> ClipText:
    return ClipText.load(folder, Device(), None)


def test_a_short_prompt_is_what_diffusers_makes_of_it(
    clip: ClipText, pipeline: StableDiffusionPipeline
) -> None:
    expected, empty = pipeline.encode_prompt("a red apple", "cpu", 1, True, negative_prompt="")
    assert torch.allclose(clip.encode("a red apple").hidden, expected, atol=1e-6)
    assert torch.allclose(clip.encode("").hidden, empty, atol=1e-6)


def test_a_long_prompt_is_encoded_in_chunks(clip: ClipText) -> None:
    letters = "a b c d e f g h i j k l m n o p q r"
    hidden = clip.encode(letters).hidden
    assert hidden.shape == (1, 2 * POSITIONS, 16)
    first = clip.encode("a b c d e f g h i j k l m n").hidden
    second = clip.encode("o p q r").hidden
    assert torch.allclose(hidden, torch.cat([first, second], dim=1), atol=1e-6)


def test_a_prompt_that_just_fits_is_one_chunk(clip: ClipText) -> None:
    assert clip.tokenize("a " * (POSITIONS - 2)).ids.shape == (1, POSITIONS)
    assert clip.tokenize("a " * (POSITIONS - 1)).ids.shape == (2, POSITIONS)


def test_a_short_stretch_is_not_torn_between_chunks(clip: ClipText) -> None:
    """Chunks of 14: eleven letters, then four of another weight, which begin the next chunk."""
    letters, heavy = "a b c d e f g h i j k", "l m n o"
    hidden = clip.tokenize(f"{letters} ({heavy}:1.3) p")
    chunks = [clip.tokenize(letters), clip.tokenize(f"({heavy}:1.3) p")]
    assert torch.equal(hidden.ids, torch.cat([chunk.ids for chunk in chunks]))
    assert torch.equal(hidden.weights, torch.cat([chunk.weights for chunk in chunks]))


def test_a_long_stretch_fills_a_chunk_and_goes_on_in_the_next(clip: ClipText) -> None:
    letters, heavy = "a b c d e f g h i j k", "l m n o p q r s"
    plain, weighted = clip.tokenize(f"{letters} {heavy}"), clip.tokenize(f"{letters} ({heavy}:1.3)")
    assert torch.equal(plain.ids, weighted.ids)
    assert [int((row > 1).sum()) for row in weighted.weights] == [3, 5]


def test_parentheses_do_not_change_the_tokens(clip: ClipText) -> None:
    plain, weighted = clip.tokenize("a red apple"), clip.tokenize("a (red:1.4) apple")
    assert torch.equal(plain.ids, weighted.ids)
    red = plain.ids[0].tolist().index(clip.tokenize("red").ids[0, 1])
    expected = torch.ones(1, POSITIONS)
    expected[0, red] = 1.4
    assert torch.equal(weighted.weights, expected)


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.4, -1.0])
def test_a_weight_scales_the_difference_from_an_empty_prompt(clip: ClipText, weight: float) -> None:
    plain, empty = clip.encode("a red apple").hidden, clip.encode("").hidden
    weighted = clip.encode(f"a (red:{weight}) apple").hidden
    red = clip.tokenize("a red apple").ids[0].tolist().index(clip.tokenize("red").ids[0, 1])
    expected = plain.clone()
    expected[0, red] = empty[0, red] + weight * (plain[0, red] - empty[0, red])
    assert torch.allclose(weighted, expected, atol=1e-6)
    assert not torch.allclose(weighted, plain, atol=1e-3)


def test_in_half_precision_the_result_is_close_and_float32(folder: Path, clip: ClipText) -> None:
    half = ClipText.load(folder, Device(precision=Precision.BF16), None)
    hidden = half.encode("a red apple").hidden
    assert hidden.dtype == torch.float32
    assert half.size < clip.size
    assert torch.allclose(hidden, clip.encode("a red apple").hidden, atol=0.1)
