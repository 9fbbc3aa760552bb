"""Values made of tensors: lossless in safetensors, equal by content, shown as pictures."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load

from nodeflow.errors import InputError
from nodeflow.sockets import Conditioning, Control, ImagePrompt, Latent, Patch, Recipe
from nodeflow.tensors import CONDITIONING, IMAGE, LATENT, MASK, pictures
from nodeflow.values import Codecs

CODECS = Codecs({"Image": "nodeflow.tensors:IMAGE"})


def _equal(one, other):
    assert one.dtype == other.dtype
    assert torch.equal(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_images_come_back_bit_for_bit(dtype):
    image = torch.rand(2, 3, 4, 3).to(dtype)
    payload = IMAGE.encode(image)
    _equal(IMAGE.decode(payload), image)
    _equal(load(payload.data)["value"], image)  # by the library alone
    assert IMAGE.fingerprint(IMAGE.decode(payload)) == IMAGE.fingerprint(image)
    assert IMAGE.size(image) >= image.nbytes


def test_content_decides_the_fingerprint_and_layout_does_not():
    image = torch.rand(1, 4, 5, 3)
    turned = image.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)
    assert not turned.is_contiguous()
    assert IMAGE.fingerprint(turned) == IMAGE.fingerprint(image)
    assert IMAGE.fingerprint(image.reshape(1, 5, 4, 3)) != IMAGE.fingerprint(image)
    assert MASK.fingerprint(image[..., 0]) != IMAGE.fingerprint(image[..., :1])
    assert IMAGE.fingerprint(image.half()) != IMAGE.fingerprint(image)


def test_latents_and_conditionings_keep_all_their_parts():
    latent = Latent(torch.randn(1, 4, 2, 2), downscale=4)
    again = LATENT.decode(LATENT.encode(latent))
    _equal(again.samples, latent.samples)
    assert again.downscale == 4
    assert LATENT.fingerprint(latent) != LATENT.fingerprint(Latent(latent.samples, 8))
    meaning = Conditioning(torch.randn(1, 3, 8), None, {"guidance": 3.5})
    back = CONDITIONING.decode(CONDITIONING.encode(meaning))
    _equal(back.hidden, meaning.hidden)
    assert (back.pooled, back.extra) == (None, {"guidance": 3.5})


def test_latents_keep_masks_and_seeds():
    samples = torch.randn(2, 4, 2, 2)
    latent = Latent(samples, 8, torch.rand(1, 2, 2), samples + 1, (7, 2**53 - 1))
    again = LATENT.decode(LATENT.encode(latent))
    _equal(again.mask, latent.mask)
    _equal(again.surroundings, latent.surroundings)
    assert again.seeds == latent.seeds
    variants = [
        latent,
        Latent(samples),
        Latent(samples, seeds=(7, 8)),
        Latent(samples, 8, samples[0]),
    ]
    assert len({LATENT.fingerprint(variant) for variant in variants}) == 4


def test_conditionings_keep_controls_places_times_and_further_prompts():
    recipe = Recipe(
        "/m/edges", "d1", "control", "f", (Patch("lora", 0.5, "d2", path="/l"),), ("/m/more",)
    )
    other = Conditioning(torch.randn(1, 3, 8), torch.randn(1, 4), {"guidance": 2.0}, start=0.5)
    meaning = Conditioning(
        torch.randn(1, 5, 8),
        controls=(
            Control(recipe, torch.rand(1, 8, 8, 3), 0.7, 0.1, 0.9),
            Control(recipe, torch.rand(1, 4, 4, 3), vae=replace(recipe, part="vae"), mode="depth"),
        ),
        mask=torch.rand(1, 4, 4),
        area=(0.0, 0.5, 1.0, 0.5),
        strength=0.8,
        end=0.5,
        also=(other, Conditioning(torch.randn(1, 3, 8), mask=torch.ones(1, 2, 2))),
    )
    back = CONDITIONING.decode(CONDITIONING.encode(meaning))
    _equal(back.hidden, meaning.hidden)
    _equal(back.mask, meaning.mask)
    assert [c.network for c in back.controls] == [recipe, recipe]
    for one, control in zip(back.controls, meaning.controls, strict=True):
        _equal(one.image, control.image)
    assert [(c.vae, c.mode) for c in back.controls] == [(c.vae, c.mode) for c in meaning.controls]
    assert (back.controls[0].strength, back.controls[0].start, back.controls[0].end) == (
        0.7,
        0.1,
        0.9,
    )
    assert (back.area, back.strength, back.end) == (meaning.area, 0.8, 0.5)
    first, second = back.also
    _equal(first.pooled, other.pooled)
    assert (first.extra, first.start, first.mask) == ({"guidance": 2.0}, 0.5, None)
    _equal(second.mask, torch.ones(1, 2, 2))
    assert CONDITIONING.fingerprint(back) == CONDITIONING.fingerprint(meaning)
    assert CONDITIONING.fingerprint(back) != CONDITIONING.fingerprint(replace(back, strength=1.0))


def test_conditionings_keep_further_states_alone_and_in_rows():
    meaning = Conditioning(
        torch.randn(1, 5, 8),
        states={
            "prompt_embeds": (torch.randn(5, 8), torch.randn(3, 8)),
            "mask": torch.ones(1, 5, dtype=torch.int64),
        },
    )
    back = CONDITIONING.decode(CONDITIONING.encode(meaning))
    assert back.states.keys() == meaning.states.keys()
    for one, other in zip(
        back.states["prompt_embeds"], meaning.states["prompt_embeds"], strict=True
    ):
        _equal(one, other)
    _equal(back.states["mask"], meaning.states["mask"])
    assert CONDITIONING.fingerprint(back) == CONDITIONING.fingerprint(meaning)
    assert CONDITIONING.fingerprint(back) != CONDITIONING.fingerprint(replace(back, states={}))


def test_conditionings_keep_what_pictures_say():
    recipe = Recipe("/m/faces", "d1", "ip_adapter", "f")
    meaning = Conditioning(
        torch.randn(1, 5, 8),
        images=(
            ImagePrompt(recipe, torch.randn(1, 4, 8), 0.7, 0.1, 0.9),
            ImagePrompt(recipe, torch.randn(1, 16, 8)),
        ),
    )
    back = CONDITIONING.decode(CONDITIONING.encode(meaning))
    for one, image in zip(back.images, meaning.images, strict=True):
        _equal(one.hidden, image.hidden)
        assert replace(one, hidden=image.hidden) == image
    assert CONDITIONING.fingerprint(back) == CONDITIONING.fingerprint(meaning)
    prints = {
        CONDITIONING.fingerprint(replace(back, images=images))
        for images in ((), back.images[:1], (replace(back.images[0], end=1.0),))
    }
    assert len(prints | {CONDITIONING.fingerprint(back)}) == 4


def test_parts_that_share_memory_are_stored_each():
    hidden = torch.randn(1, 3, 8)
    meaning = Conditioning(hidden, hidden[:, 0])
    back = CONDITIONING.decode(CONDITIONING.encode(meaning))
    _equal(back.hidden, hidden)
    _equal(back.pooled, hidden[:, 0])


@pytest.mark.parametrize(
    "values",
    [
        [torch.zeros(1, 2, 2, 3), torch.ones(1, 3, 2, 1)],
        [torch.zeros(1, 2, 2, 3) for _ in range(11)],
        [],
    ],
)
def test_lists_of_images_come_back_in_order(values):
    codec = CODECS.of("list[Image]")
    again = codec.decode(codec.encode(values))
    assert len(again) == len(values)
    for one, other in zip(again, values, strict=True):
        _equal(one, other)
    assert len(codec.show(values)) == len(values)


def test_lists_of_lists_may_hold_empty_lists():
    codec = CODECS.of("list[list[Image]]")
    values = [[], [torch.rand(1, 2, 2, 3)], []]
    again = codec.decode(codec.encode(values))
    assert [len(part) for part in again] == [0, 1, 0]
    _equal(again[1][0], values[1][0])


@pytest.mark.parametrize(
    ("codec", "value", "says"),
    [
        (IMAGE, torch.zeros(2, 2, 3), r"shape \(2, 2, 3\)"),
        (IMAGE, torch.zeros(1, 2, 2, 2), "1, 3 or 4"),
        (IMAGE, torch.zeros(1, 2, 2, 3, dtype=torch.uint8), "torch.uint8"),
        (IMAGE, [1], "a list is not an Image"),
        (MASK, torch.zeros(1, 2, 2, 1), "is not a Mask"),
        (LATENT, torch.zeros(1), "is not a Latent"),
        (CONDITIONING, None, "is not a Conditioning"),
    ],
)
def test_a_value_of_another_type_is_refused_with_a_sentence(codec, value, says):
    with pytest.raises(InputError, match=says):
        codec.verify(value)


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
def test_images_are_shown_as_pictures(channels, mode):
    image = torch.full((2, 3, 5, channels), 0.5)
    image[1] = 2.0  # what lies outside of 0..1 is cut off
    first, second = pictures(image)
    assert (first.mode, first.size) == (mode, (5, 3))
    assert set(first.tobytes()) == {128}
    assert set(second.tobytes()) == {255}
    assert MASK.show(torch.zeros(1, 2, 2))[0].mode == "L"


def test_the_header_of_a_stored_record_is_readable_json():
    data = LATENT.encode(Latent(torch.zeros(1, 4, 2, 2), 8)).data
    length = int.from_bytes(data[:8], "little")
    assert json.loads(data[8 : 8 + length])["__metadata__"] == {
        "extra": '{"downscale":8,"seeds":[]}'
    }


def test_values_are_on_the_cpu_here_and_moving_there_changes_nothing():
    latent = Latent(torch.rand(1, 4, 2, 2))
    assert (LATENT.place(latent), IMAGE.place(latent.samples)) == ("cpu", "cpu")
    assert LATENT.fingerprint(LATENT.move(latent, "cpu")) == LATENT.fingerprint(latent)
