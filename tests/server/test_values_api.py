"""Values: a small look at what the disk store keeps, and a sentence where there is nothing."""

from __future__ import annotations

import io

import numpy as np
import pytest
import safetensors.numpy
from PIL import Image

from nodeflow.cache.disk import DiskStore
from nodeflow.cache.entry import Entry, StoredOutput
from nodeflow.server import kept_values
from nodeflow.values import Payload
from tests.server.parts import parts, settings_of

KEY = "0123456789abcdef" * 2
OTHER = "f" * 32


@pytest.fixture
async def server(tmp_path):
    async with parts(settings_of(tmp_path)) as server:
        yield server


def keep(server, key, output):
    """What a worker does, from its own process."""
    settings = server.state.settings
    store = DiskStore(settings.cache / "values", settings.disk)
    store.put(key, lambda: Entry((output,)), lambda error: None)
    store.close()


def image(array):
    data = safetensors.numpy.save({"value": array.astype(np.float32)})
    return StoredOutput("image", "Image", Payload("safetensors", data))


async def picture_of(answer):
    assert answer.status == 200, await answer.text()
    assert answer.content_type == "image/webp"
    return Image.open(io.BytesIO(await answer.read()))


async def detail(answer):
    assert answer.content_type == "application/problem+json"
    return (await answer.json())["detail"]


async def test_the_first_picture_of_a_value_is_shown_small(server):
    array = np.zeros((2, 1200, 1600, 3))
    array[0, :, :800] = (1.0, 0.5, 0.0)
    keep(server, KEY, image(array))
    answer = await server.client.get(f"/api/values/{KEY}?thumb=100")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    picture = await picture_of(answer)
    assert picture.size == (100, 75)
    assert np.abs(np.subtract(picture.getpixel((20, 40)), (255, 128, 0))).max() < 12
    assert np.abs(np.subtract(picture.getpixel((80, 40)), (0, 0, 0))).max() < 12


@pytest.mark.parametrize(("channels", "mode"), [(1, "RGB"), (3, "RGB"), (4, "RGBA")])
async def test_grey_and_transparency_are_shown_and_small_pictures_stay_as_they_are(
    server, channels, mode
):
    keep(server, KEY, image(np.full((1, 40, 30, channels), 0.5)))
    picture = await picture_of(await server.client.get(f"/api/values/{KEY}"))
    assert (picture.size, picture.mode) == ((30, 40), mode)
    assert np.abs(np.subtract(picture.getpixel((9, 9)), 128)).max() < 6


async def test_values_out_of_range_or_no_numbers_are_shown_as_black_and_white(server):
    array = np.full((1, 32, 32, 3), 7.0)
    array[:, :, 16:] = np.nan
    keep(server, KEY, image(array))
    picture = await picture_of(await server.client.get(f"/api/values/{KEY}"))
    assert np.abs(np.subtract(picture.getpixel((4, 9)), 255)).max() < 6
    assert np.abs(np.subtract(picture.getpixel((28, 9)), 0)).max() < 6


async def test_what_is_not_kept_or_no_picture_is_a_sentence(server, monkeypatch):
    answer = await server.client.get(f"/api/values/{KEY}")
    assert answer.status == 404
    assert not (server.state.settings.cache / "values").exists()
    keep(server, KEY, StoredOutput("count", "int", Payload("json", b"3")))
    keep(server, OTHER, image(np.zeros((0, 8, 8, 3))))
    for key in (KEY, OTHER):
        answer = await server.client.get(f"/api/values/{key}")
        assert answer.status == 404
        assert await detail(answer) == (
            f"No picture is kept under the key '{key}': it made room for newer values, or is none. "
            "Run the workflow again to make it anew."
        )
    monkeypatch.setattr(kept_values, "MOST_BYTES", 1000)
    keep(server, OTHER, image(np.zeros((1, 64, 64, 3))))
    assert (await server.client.get(f"/api/values/{OTHER}")).status == 404


@pytest.mark.parametrize("key", ["x", KEY.upper(), KEY + "0", "..%2f..%2fetc%2fpasswd", "%00" * 32])
async def test_only_keys_are_looked_up(server, key):
    answer = await server.client.get(f"/api/values/{key}")
    assert answer.status == 400
    assert "is no key of a node" in await detail(answer)


@pytest.mark.parametrize("thumb", ["0", "15", "1025", "x"])
async def test_looks_have_a_size(server, thumb):
    answer = await server.client.get(f"/api/values/{KEY}?thumb={thumb}")
    assert answer.status == 400
    assert "'thumb' in the query" in await detail(answer)
