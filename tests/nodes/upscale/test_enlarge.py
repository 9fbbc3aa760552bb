"""upscale and upscale_by: tiles without seams, alpha, precision, cancelling."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import spandrel
import torch
from nodeflow_nodes.upscale import enlarge, room
from nodeflow_nodes.upscale.enlarge import upscale, upscale_by
from nodeflow_nodes.upscale.recipes import load_upscaler
from safetensors.torch import save_file

from nodeflow import (
    Cancelled,
    Device,
    Image,
    InputError,
    ModelMemory,
    Precision,
    Progress,
    Recipe,
    Upscaler,
)
from nodeflow.progress import working
from tests.nodes.upscale.architectures import architecture


def picture(batch: int = 1, height: int = 40, width: int = 52, channels: int = 3) -> Image:
    generator = torch.Generator().manual_seed(height + width)
    return Image(torch.rand(batch, height, width, channels, generator=generator))


def run(path: Path, image: Image, tile: int = 1024, overlap: int = 16, **services) -> Image:
    given = {"models": ModelMemory(), "device": Device(), "progress": Progress()} | services
    return upscale(load_upscaler(path), image, tile, overlap, **given)


def test_the_result_is_what_spandrel_computes(make_file) -> None:
    path, image = make_file(), picture(2)
    network = spandrel.ModelLoader().load_from_file(path)
    wanted = torch.cat([network(one[None].permute(0, 3, 1, 2)) for one in image])
    result = run(path, image)
    assert result.shape == (2, 80, 104, 3)
    torch.testing.assert_close(result, wanted.permute(0, 2, 3, 1), atol=1e-5, rtol=0)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("tile", "overlap"), [(16, 8), (20, 10), (32, 12)])
def test_tiled_equals_whole(make_file, channels: int, tile: int, overlap: int) -> None:
    path, image = make_file(), picture(channels=channels)
    if channels == 4:
        image[..., 3] = image[..., 3] / 2 + 0.5
    difference = (run(path, image, tile, overlap) - run(path, image)).abs().max()
    assert difference <= 2 / 255


@pytest.mark.filterwarnings("ignore::UserWarning")  # the libraries' own, of old arguments
@pytest.mark.parametrize("name", ["compact", "esrgan", "swinir", "dat", "hat", "span"])
def test_tiled_equals_whole_for_many_architectures(tmp_path: Path, name: str) -> None:
    save_file(architecture(name), tmp_path / "net.safetensors")
    image = picture(1, 90, 136)
    # Edges and even places, as pictures have them.
    image[:, 20:60, 30:90] = torch.tensor([0.9, 0.3, 0.1])
    whole = run(tmp_path / "net.safetensors", image)
    assert whole.std() > 0.05
    assert (run(tmp_path / "net.safetensors", image, 64, 32) - whole).abs().max() <= 2 / 255


def test_tiles_without_overlap_would_show_seams(make_file) -> None:
    path, image = make_file(), picture()
    assert (run(path, image, 16, 0) - run(path, image)).abs().max() > 2 / 255


def test_opaque_alpha_changes_nothing_and_stays_nearly_opaque(tmp_path: Path) -> None:
    save_file(plain_weights(), tmp_path / "plain.safetensors")
    image = picture()
    clear = Image(torch.cat([image, torch.ones(1, 40, 52, 1)], -1))
    result = run(tmp_path / "plain.safetensors", clear)
    torch.testing.assert_close(result[..., 3], torch.ones(1, 80, 104))
    opaque = run(tmp_path / "plain.safetensors", image)
    torch.testing.assert_close(result[..., :3], opaque)


def plain_weights() -> dict[str, torch.Tensor]:
    """Weights of zero: the network adds nothing to a nearest enlargement."""
    shapes = {"0": (8, 3, 3, 3), "2": (8, 8, 3, 3), "4": (12, 8, 3, 3)}
    weights = {f"body.{name}.weight": torch.zeros(shape) for name, shape in shapes.items()}
    weights |= {f"body.{name}.bias": torch.zeros(shape[0]) for name, shape in shapes.items()}
    return weights | {f"body.{name}.weight": torch.zeros(8) for name in "13"}


def test_a_transparent_neighbour_does_not_darken_an_edge(tmp_path: Path) -> None:
    save_file(plain_weights(), tmp_path / "plain.safetensors")
    image = Image(torch.zeros(1, 8, 8, 4))
    image[:, :, 4:] = torch.tensor([0.2, 0.6, 1.0, 0.5])
    result = run(tmp_path / "plain.safetensors", image)
    torch.testing.assert_close(result[0, :, 8:], image[0, 0, 4].expand(16, 8, 4))
    assert result[0, :, :8].eq(0).all()


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_grey_network_takes_pictures_of_any_channels(make_file, channels: int) -> None:
    path = make_file("grey.safetensors", channels=1)
    assert run(path, picture(channels=channels)).shape == (1, 80, 104, channels)


def test_a_grey_picture_stays_grey(make_file) -> None:
    result = run(make_file(scale=4), picture(channels=1))
    assert result.shape == (1, 160, 208, 1)


def test_bf16_is_close_to_fp32_and_kept_apart_in_memory(make_file) -> None:
    path, image, models = make_file(), picture(), ModelMemory()
    exact = run(path, image, models=models)
    rough = run(path, image, models=models, device=Device("cpu", Precision.BF16))
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().max() < 0.05


def test_weights_are_loaded_once(make_file) -> None:
    path, models = make_file(), ModelMemory()
    recipe = load_upscaler(path)
    first = upscale(recipe, picture(), models=models, device=Device(), progress=Progress())
    path.unlink()
    again = upscale(recipe, picture(), models=models, device=Device(), progress=Progress())
    assert torch.equal(first, again)
    assert models.used > 0


def test_a_tile_of_0_is_what_the_free_memory_holds(make_file, monkeypatch) -> None:
    path, image, totals = make_file(), picture(1, 200, 150), []
    progress = Progress(lambda step, total, text, preview: totals.append(total))
    wanted = run(path, image)
    need = room.bytes_for_a_pixel(enlarge.load_network(load_upscaler(path), Device()))
    # Weights of 8 channels: input and output of a layer in float32, and what the next one makes.
    assert 8 * 4 < need < 8 * 4 * 8
    for side, tiles in ((256, 1), (128, 4), (64, 24)):
        monkeypatch.setattr(room, "free_bytes", lambda device, side=side: 2 * need * side**2)
        found = run(path, image, 0, 32, progress=progress)
        assert totals == [tiles] * tiles
        assert (found - wanted).abs().max() <= 2 / 255
        totals.clear()


def test_for_small_pictures_the_memory_is_not_measured(make_file, monkeypatch) -> None:
    path, image = make_file(), picture(1, 64, 50)
    monkeypatch.setattr(room, "free_bytes", lambda device: pytest.fail("it was measured"))
    assert torch.equal(run(path, image, 0, 32), run(path, image, 64, 32))


def test_cancelling_stops_in_the_middle_of_a_tile(make_file) -> None:
    network = enlarge.load_network(load_upscaler(make_file()), Device())
    with working(lambda: True), pytest.raises(Cancelled):
        network(torch.zeros(1, 3, 16, 16))


def test_every_tile_is_reported_and_cancelling_stops_between_two(make_file) -> None:
    path, steps = make_file(), []
    report = Progress(lambda step, total, text, preview: steps.append((step, total, text)))
    run(path, picture(), 32, 8, progress=report)
    assert steps == [(index, 6, f"tile {index} of 6") for index in range(1, 7)]
    steps.clear()
    stopping = Progress(
        lambda step, total, text, preview: steps.append(step), lambda: len(steps) == 2
    )
    with pytest.raises(Cancelled):
        run(path, picture(), 32, 8, progress=stopping)
    assert steps == [1, 2]


def test_the_picture_is_not_changed(make_file) -> None:
    for channels in (1, 3, 4):
        image = picture(channels=channels)
        before = image.clone()
        run(make_file(), image, 32, 8)
        upscale_by(image, 1.5)
        assert torch.equal(image, before)


def test_a_pickle_of_tensors_gives_what_safetensors_gives(make_file) -> None:
    image = picture()
    assert torch.equal(run(make_file("tiny.pth"), image), run(make_file(), image))


class Trap:
    """What a hostile pickle would run when it is read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self):
        return (Path.touch, (self.folder / "sprung",))


def test_a_pickle_that_runs_code_is_refused_and_runs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "trap.pth"
    path.write_bytes(pickle.dumps({"body.0.weight": Trap(tmp_path)}, protocol=2))
    with pytest.raises(
        InputError, match=r"trap\.pth is a pickle that wants '.*', which is no tensor"
    ):
        run(path, picture())
    torch.save({"body.0.weight": Trap(tmp_path)}, path)
    with pytest.raises(
        InputError, match=r"trap\.pth is a pickle that wants '.*', which is no tensor"
    ):
        run(path, picture())
    assert not (tmp_path / "sprung").exists()


def test_files_that_are_no_upscaler_are_refused(tmp_path: Path) -> None:
    save_file({"weight": torch.zeros(3)}, tmp_path / "other.safetensors")
    with pytest.raises(InputError, match=r"other\.safetensors is of no architecture"):
        run(tmp_path / "other.safetensors", picture())
    broken = plain_weights() | {"body.2.weight": torch.zeros(7, 8, 3, 3)}
    save_file(broken, tmp_path / "broken.safetensors")
    with pytest.raises(InputError, match=r"weights in .*broken\.safetensors do not fit together"):
        run(tmp_path / "broken.safetensors", picture())


def test_a_file_that_vanished_meanwhile_is_named(tmp_path: Path) -> None:
    gone = Upscaler(Recipe(str(tmp_path / "gone.pth"), "0", "upscaler", "spandrel"))
    with pytest.raises(InputError, match=r"gone\.pth is missing; fetch"):
        upscale(gone, picture(), models=ModelMemory(), device=Device(), progress=Progress())


def test_a_result_over_256_megapixels_is_refused_before_computing(make_file) -> None:
    wide = Image(torch.zeros(1, 1, 1, 3).expand(1, 9000, 9000, 3))
    with pytest.raises(InputError, match="would be 18000 x 18000, more than the limit of 256"):
        run(make_file(), wide)
    with pytest.raises(InputError, match="would be 27000 x 27000, more than the limit of 256"):
        upscale_by(wide, 3.0)


def test_an_overlap_that_does_not_fit_is_refused(make_file) -> None:
    with pytest.raises(InputError, match="overlap of 20 pixels"):
        run(make_file(), picture(), 32, 20)


@pytest.mark.parametrize("method", ["lanczos", "bicubic", "bilinear"])
def test_plain_resampling_equals_pillow(method) -> None:
    image = picture(2, 12, 10, 1)
    result = upscale_by(image, 2.5, method)
    filter = PIL.Image.Resampling[method.upper()]
    for one, enlarged in zip(image, result, strict=True):
        wanted = np.asarray(PIL.Image.fromarray(one[..., 0].numpy()).resize((25, 30), filter))
        np.testing.assert_allclose(enlarged[..., 0], wanted.clip(0, 1), atol=2e-3)


def test_nearest_repeats_pixels_and_nothing_becomes_empty() -> None:
    image = picture(channels=4)
    doubled = upscale_by(image, 2.0, "nearest")
    wanted = image.repeat_interleave(2, 1).repeat_interleave(2, 2)
    torch.testing.assert_close(doubled[..., 3], wanted[..., 3])
    assert upscale_by(image, 0.01).shape == (1, 1, 1, 4)
