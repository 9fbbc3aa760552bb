"""load, save and show, with Pillow as the second opinion."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Literal

import numpy as np
import PIL.Image
import pytest
import torch
from nodeflow_nodes.image.files import compare, load, save, show
from PIL import ImageCms

from nodeflow import Cancelled, InputError, OutputFiles, Progress
from nodeflow.pictures import read_workflow
from nodeflow.tensors import pictures

WORKFLOW = '{"nodeflow": 1, "name": "Kürbis"}'


def files(folder: Path) -> OutputFiles:
    return OutputFiles(folder, WORKFLOW, {"workflow": "demo", "node": "outer/show"})


def write(folder: Path, picture: PIL.Image.Image, name: str = "a.png", **options: object) -> Path:
    path = folder / name
    picture.save(path, **options)  # type: ignore[arg-type]  # options of each format
    return path


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_saved_png_loads_as_the_same_pixels(tmp_path: Path, make_image, channels: int) -> None:
    image, output = make_image(2, channels=channels), files(tmp_path)
    save(image, files=output, progress=Progress())
    assert [path.name for path in output.written] == ["demo_0001.png", "demo_0002.png"]
    for one, path in zip(image, output.written, strict=True):
        torch.testing.assert_close(load(path).image[0], one, rtol=0, atol=1e-6)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp"])
def test_the_workflow_is_in_the_file_unless_it_is_turned_off(
    tmp_path: Path, make_image, format: Literal["png", "jpeg", "webp"]
) -> None:
    output = files(tmp_path)
    save(make_image(), "a", format, files=output, progress=Progress())
    save(make_image(), "b", format, embed_workflow=False, files=output, progress=Progress())
    assert [read_workflow(path) for path in output.written] == [WORKFLOW, None]


def test_a_higher_quality_gives_a_larger_and_truer_jpeg(tmp_path: Path, make_image) -> None:
    image, output = make_image(1, 32, 32), files(tmp_path)
    for quality in (30, 95):
        save(image, format="jpeg", quality=quality, files=output, progress=Progress())
    sizes = [path.stat().st_size for path in output.written]
    errors = [(load(path).image - image).abs().mean() for path in output.written]
    assert sizes[0] < sizes[1]
    assert errors[0] > errors[1]


def test_saving_never_overwrites(tmp_path: Path, make_image) -> None:
    (tmp_path / "day").mkdir()
    (tmp_path / "day" / "apple_0001.png").write_bytes(b"mine")
    output = files(tmp_path)
    save(make_image(), "day/apple", files=output, progress=Progress())
    assert output.written == [tmp_path / "day" / "apple_0002.png"]
    assert (tmp_path / "day" / "apple_0001.png").read_bytes() == b"mine"


def test_a_name_that_leads_out_is_refused(tmp_path: Path, make_image) -> None:
    with pytest.raises(InputError, match=r"'../apple' leads out of the output folder"):
        save(make_image(), "../apple", files=files(tmp_path / "out"), progress=Progress())
    assert list(tmp_path.rglob("*.png")) == []


def test_an_empty_batch_is_no_file(tmp_path: Path) -> None:
    empty = torch.zeros(0, 4, 4, 3)
    with pytest.raises(InputError, match="holds no picture"):
        save(empty, files=files(tmp_path), progress=Progress())  # type: ignore[arg-type]


def test_showing_writes_png_previews_named_after_the_node(tmp_path: Path, make_image) -> None:
    output = files(tmp_path)
    show(make_image(2), files=output, progress=Progress())
    assert output.written == [
        tmp_path / "previews" / "outer_show_0001.png",
        tmp_path / "previews" / "outer_show_0002.png",
    ]


def test_comparing_writes_pairs_in_turns_and_repeats_a_single_picture(
    tmp_path: Path, make_image
) -> None:
    output, many, one = files(tmp_path), make_image(2, 6, 8), make_image(1, 3, 5)
    compare(many, one, files=output, progress=Progress())
    assert [path.name for path in output.written] == [
        "outer_show_a_0001.png",
        "outer_show_b_0001.png",
        "outer_show_a_0002.png",
        "outer_show_b_0002.png",
    ]
    for path, wanted in zip(output.written, [many[0], one[0], many[1], one[0]], strict=True):
        torch.testing.assert_close(load(path).image[0], wanted, rtol=0, atol=1e-6)


def test_batches_that_do_not_pair_are_refused_before_a_file_is_written(
    tmp_path: Path, make_image
) -> None:
    with pytest.raises(InputError, match="batches of 2 and 3 do not go together"):
        compare(make_image(2), make_image(3), files=files(tmp_path), progress=Progress())
    empty = torch.zeros(0, 4, 4, 3)
    with pytest.raises(InputError, match="holds no picture"):
        compare(make_image(), empty, files=files(tmp_path), progress=Progress())  # type: ignore[arg-type]
    assert list(tmp_path.rglob("*")) == []


def test_a_cancelled_save_keeps_what_is_whole(tmp_path: Path, make_image) -> None:
    output = files(tmp_path)
    with pytest.raises(Cancelled):
        save(make_image(3), files=output, progress=Progress(cancelled=lambda: bool(output.written)))
    assert [path.name for path in tmp_path.iterdir()] == ["demo_0001.png"]


def test_a_palette_with_transparency_becomes_rgba(tmp_path: Path) -> None:
    picture = PIL.Image.new("P", (2, 1))
    picture.putpalette([255, 0, 0, 0, 0, 255])
    picture.putpixel((1, 0), 1)
    loaded = load(write(tmp_path, picture, transparency=1))
    assert loaded.image.tolist() == [[[[1, 0, 0, 1], [0, 0, 1, 0]]]]
    assert loaded.mask.tolist() == [[[1, 0]]]


def test_a_palette_becomes_rgb_and_one_bit_becomes_grey(tmp_path: Path) -> None:
    palette = PIL.Image.new("P", (1, 1))
    palette.putpalette([0, 255, 0])
    assert load(write(tmp_path, palette)).image.tolist() == [[[[0, 1, 0]]]]
    assert load(write(tmp_path, PIL.Image.new("1", (1, 1), 1))).image.tolist() == [[[[1]]]]


def test_grey_with_alpha_becomes_rgba_and_cmyk_becomes_rgb(tmp_path: Path) -> None:
    grey = load(write(tmp_path, PIL.Image.new("LA", (1, 1), (51, 102)))).image
    torch.testing.assert_close(grey, torch.tensor([[[[0.2, 0.2, 0.2, 0.4]]]]))
    cmyk = load(write(tmp_path, PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "a.jpg")).image
    assert cmyk.shape == (1, 8, 8, 3)
    assert (cmyk[0, 4, 4] - torch.tensor([1.0, 0, 0])).abs().max() < 0.02


def test_a_16_bit_grey_png_keeps_its_precision(tmp_path: Path) -> None:
    values = np.array([[0, 1, 257, 40_000, 65_535]], dtype=np.uint16)
    loaded = load(write(tmp_path, PIL.Image.fromarray(values)))
    assert loaded.image.dtype == torch.float32
    np.testing.assert_allclose(loaded.image[0, ..., 0], values / 65_535, atol=1e-7)


def swapped_profile() -> bytes:
    """sRGB with the red and the green primary exchanged, under another name."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = profile.replace(b"rXYZ", b"????").replace(b"gXYZ", b"rXYZ").replace(b"????", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "test".encode("utf-16-be"))


def test_a_colour_profile_is_applied_and_alpha_stays(tmp_path: Path) -> None:
    red = PIL.Image.new("RGBA", (2, 2), (255, 0, 0, 51))
    loaded = load(write(tmp_path, red, icc_profile=swapped_profile())).image
    torch.testing.assert_close(
        loaded[0, 0, 0], torch.tensor([0.0, 1.0, 0.0, 0.2]), atol=0.02, rtol=0
    )


def test_srgb_and_broken_profiles_leave_the_pixels_alone(tmp_path: Path, make_image) -> None:
    (picture,) = pictures(make_image())
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for profile in (srgb, b"nothing of the kind"):
        loaded = load(write(tmp_path, picture, icc_profile=profile)).image
        torch.testing.assert_close(loaded, make_image())


def test_exif_orientation_turns_picture_and_mask(tmp_path: Path) -> None:
    exif = PIL.Image.Exif()
    exif[0x0112] = 6
    loaded = load(write(tmp_path, PIL.Image.new("RGBA", (8, 4)), exif=exif))
    assert loaded.image.shape == (1, 8, 4, 4)
    assert loaded.mask.shape == (1, 8, 4)


def test_a_picture_without_alpha_is_wholly_chosen(tmp_path: Path) -> None:
    assert load(write(tmp_path, PIL.Image.new("RGB", (3, 2)))).mask.eq(1).all()


def test_a_truncated_picture_is_refused_by_name(tmp_path: Path, make_image) -> None:
    file = io.BytesIO()
    PIL.Image.effect_noise((64, 64), 50).save(file, "PNG")
    path = tmp_path / "half.png"
    path.write_bytes(file.getvalue()[:2000])
    with pytest.raises(InputError, match=r"'half.png' is damaged or cut off"):
        load(path)
