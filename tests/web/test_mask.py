"""Painting masks: what is drawn is what is saved, to the pixel, and what nodes get."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps
from playwright.sync_api import Locator, expect

from tests.server.conftest import Served
from tests.web.conftest import Editor, link, tools

WIDTH, HEIGHT = 240, 160
Array = NDArray[np.uint8]


def workflow(file: str) -> dict[str, object]:
    return tools(
        read=("image.load", {"file": file}, (0, 0)),
        grey=("image.image_from_mask", {"mask": link("read", "mask")}, (340, 0)),
        keep=("image.save", {"image": link("grey"), "name": "mask"}, (680, 0)),
    )


@pytest.fixture
def photo(server: Served) -> Array:
    """A picture of noise among the inputs, so that no pixel can stand for another."""
    colours = np.random.default_rng(3).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    put(server, "photo.png", Image.fromarray(colours))
    return colours


def put(server: Served, name: str, picture: Image.Image) -> None:
    folder = inputs(server)
    folder.mkdir(parents=True, exist_ok=True)
    picture.save(folder / name)


def inputs(server: Served) -> Path:
    return server.folder / "data" / "inputs"


def open_mask(editor: Editor, file: str) -> Locator:
    """The surface of the mask editor, opened from the field, with the picture on it."""
    editor.load(workflow(file))
    editor.node("Load image").get_by_role("button", name="Paint the mask of file").click()
    return surface(editor)


def surface(editor: Editor) -> Locator:
    found = editor.page.get_by_role("application")
    expect(found).to_be_visible()
    expect(editor.page.get_by_role("dialog").locator("output")).to_have_text("100 %")
    return found


def corner(area: Locator) -> tuple[float, float]:
    """Where the picture's first pixel is seen; it is shown in the middle and not enlarged."""
    box = area.bounding_box()
    assert box is not None
    border = 1
    return (
        box["x"] + border + (box["width"] - 2 * border - WIDTH) / 2,
        box["y"] + border + (box["height"] - 2 * border - HEIGHT) / 2,
    )


def draw(editor: Editor, start: tuple[int, int], end: tuple[int, int]) -> None:
    x, y = corner(surface(editor))
    editor.drag_points((x + start[0], y + start[1]), (x + end[0], y + end[1]))


def save(editor: Editor) -> str:
    """Save, and the name that the node loads then."""
    before = editor.doc["nodes"]["read"]["inputs"]["file"]
    editor.button("Save").click()
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    name: str = editor.doc["nodes"]["read"]["inputs"]["file"]
    assert name != before
    return name


def saved(server: Served, name: str) -> Array:
    with Image.open(inputs(server) / name) as picture:
        assert picture.mode == "RGBA"
        return np.array(picture)


def line(start: tuple[int, int], end: tuple[int, int], size: int, slack: float) -> NDArray[np.bool]:
    """Pixels whose centre is no farther from a line than half of `size` plus `slack`."""
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    (x0, y0), (x1, y1) = start, end
    along = ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)
    along = np.clip(along, 0, 1)
    far = np.hypot(x - x0 - along * (x1 - x0), y - y0 - along * (y1 - y0))
    near: NDArray[np.bool] = far <= size / 2 + slack
    return near


def test_what_is_drawn_undone_and_inverted_is_saved_and_is_what_nodes_get(
    editor: Editor, server: Served, photo: Array
) -> None:
    open_mask(editor, "photo.png")
    draw(editor, (40, 40), (180, 40))
    draw(editor, (40, 110), (180, 130))
    editor.page.keyboard.press("Control+z")
    editor.button("Invert").click()
    name = save(editor)
    assert name.startswith("uploads/photo-masked-")

    picture = saved(server, name)
    np.testing.assert_array_equal(picture[..., :3], photo)
    # The brush begins at a sixteenth of the picture; the page may lie between two pixels.
    alpha = picture[..., 3]
    assert not alpha[line((40, 40), (180, 40), 15, -1)].any()
    assert (alpha[~line((40, 40), (180, 40), 15, 1)] == 255).all()
    assert set(np.unique(alpha)) == {0, 255}

    editor.page.keyboard.press("Control+Enter")
    expect(editor.status).to_have_text("case is done.", timeout=60_000)
    newest = max(
        (server.folder / "data" / "outputs").rglob("mask*.png"),
        key=lambda path: path.stat().st_mtime_ns,
    )
    with Image.open(newest) as engine:
        np.testing.assert_array_equal(np.array(engine.convert("L")), alpha)

    editor.page.keyboard.press("Control+z")
    assert editor.doc["nodes"]["read"]["inputs"]["file"] == "photo.png"


def test_a_mask_is_seen_again_and_painted_on(editor: Editor, server: Served, photo: Array) -> None:
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[20:60, 30:90] = 255
    alpha[100:, 30:90] = 77
    put(server, "half.png", Image.fromarray(np.dstack([photo, alpha])))
    open_mask(editor, "half.png")
    shown = editor.page.locator("canvas[data-mask]").evaluate(
        "canvas => [...canvas.getContext('2d').getImageData(40, 0, 1, 160).data]"
    )
    assert shown[3::4] == alpha[:, 40].tolist()
    editor.button("Eraser").click()
    draw(editor, (50, 40), (60, 40))
    picture = saved(server, save(editor))
    np.testing.assert_array_equal(picture[..., :3], photo)
    alpha[line((50, 40), (60, 40), 15, 0)] = 0
    wrong = picture[..., 3] != alpha
    assert not wrong[~line((50, 40), (60, 40), 15, 1)].any()
    assert not picture[40, 50:60, 3].any()
    # Kept beside what was erased, to the step.
    assert (picture[100:, 30:90, 3] == 77).all()


def test_keys_alone_paint_size_zoom_and_take_back(
    editor: Editor, server: Served, photo: Array
) -> None:
    editor.load(workflow("photo.png"))
    editor.page.locator('[data-node="read"] header').click()
    editor.page.keyboard.press("m")
    area = surface(editor)
    expect(area).to_be_focused()
    size = editor.page.get_by_role("slider", name="Brush size")
    expect(size).to_have_attribute("aria-valuetext", "15 pixels")
    editor.page.keyboard.press("]")
    expect(size).to_have_attribute("aria-valuetext", "19 pixels")
    editor.page.keyboard.press("[")
    editor.page.keyboard.press("Enter")
    for _ in range(30):
        editor.page.keyboard.press("Shift+ArrowRight")
    editor.page.keyboard.press("Enter")
    for _ in range(60):
        editor.page.keyboard.press("Shift+ArrowUp")
    editor.page.keyboard.press("Enter")
    editor.page.keyboard.press("Control+z")
    editor.page.keyboard.press("+")
    expect(editor.page.get_by_role("dialog").locator("output")).to_have_text("125 %")
    alpha = saved(server, save(editor))[..., 3]
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    middle = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) <= 7.5
    right = np.hypot(x - WIDTH / 2 - 30, y - HEIGHT / 2) <= 7.5
    np.testing.assert_array_equal(alpha == 255, middle | right)


def test_zoomed_strokes_land_under_the_pointer(
    editor: Editor, server: Served, photo: Array
) -> None:
    area = open_mask(editor, "photo.png")
    x, y = corner(area)
    editor.page.mouse.move(x + 60, y + 50)
    editor.page.mouse.wheel(0, -900)
    expect(editor.page.get_by_role("dialog").locator("output")).not_to_have_text("100 %")
    editor.page.mouse.down()
    editor.page.mouse.up()
    alpha = saved(server, save(editor))[..., 3]
    rows, columns = np.nonzero(alpha)
    assert abs(rows.mean() + 0.5 - 50) < 1
    assert abs(columns.mean() + 0.5 - 60) < 1


def test_strokes_are_not_lost_by_a_slip(editor: Editor, photo: Array) -> None:
    open_mask(editor, "photo.png")
    draw(editor, (40, 40), (180, 40))
    editor.page.keyboard.press("Escape")
    question = editor.page.get_by_role("alertdialog", name="Close without saving?")
    question.get_by_role("button", name="Go on painting").click()
    expect(editor.page.get_by_role("application")).to_be_visible()
    editor.page.keyboard.press("Escape")
    question.get_by_role("button", name="Close without saving").click()
    expect(editor.page.get_by_role("dialog")).to_have_count(0)
    assert editor.doc["nodes"]["read"]["inputs"]["file"] == "photo.png"


def test_a_picture_that_cannot_be_opened_says_why(editor: Editor, server: Served) -> None:
    inputs(server).mkdir(parents=True, exist_ok=True)
    (inputs(server) / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n nothing else")
    editor.load(workflow("broken.png"))
    editor.page.locator('[data-node="read"] header').click()
    editor.page.keyboard.press("m")
    dialog = editor.page.get_by_role("dialog", name="Paint the mask")
    expect(dialog).to_contain_text("It cannot be painted on")
    expect(dialog).to_contain_text("damaged")
    expect(dialog.get_by_role("button", name="Save")).to_be_disabled()


@pytest.mark.parametrize("kind", ["grey", "palette", "turned"])
def test_pictures_of_other_modes_keep_their_colours(
    editor: Editor, server: Served, photo: Array, kind: str
) -> None:
    colours = Image.fromarray(photo)
    if kind == "turned":
        # A photograph that lies on its side in the file, and is shown upright.
        exif = Image.Exif()
        exif[0x0112] = 6
        name = "turned.jpg"
        inputs(server).mkdir(parents=True, exist_ok=True)
        colours.rotate(90, expand=True).save(inputs(server) / name, exif=exif, quality=95)
    else:
        name = f"{kind}.png"
        put(server, name, colours.convert("L") if kind == "grey" else colours.quantize(64))
    with Image.open(inputs(server) / name) as file:
        wanted = np.array(ImageOps.exif_transpose(file).convert("RGB"))
    assert wanted.shape == (HEIGHT, WIDTH, 3)
    open_mask(editor, name)
    draw(editor, (40, 40), (180, 40))
    picture = saved(server, save(editor))
    np.testing.assert_array_equal(picture[..., :3], wanted)
    assert (picture[..., 3][line((40, 40), (180, 40), 15, -1)] == 255).all()


def test_a_picture_larger_than_a_canvas_is_saved_whole(editor: Editor, server: Served) -> None:
    x, y = np.meshgrid(np.arange(6000, dtype=np.uint16), np.arange(900, dtype=np.uint16))
    colours = np.dstack([x >> 8, x & 255, y & 255]).astype(np.uint8)
    put(server, "wide.png", Image.fromarray(colours))
    editor.load(workflow("wide.png"))
    editor.page.locator('[data-node="read"] header').click()
    editor.page.keyboard.press("m")
    area = editor.page.get_by_role("application")
    expect(area).to_be_focused()
    editor.page.keyboard.press("Enter")
    with Image.open(inputs(server) / save(editor)) as file:
        picture = np.array(file)
    np.testing.assert_array_equal(picture[..., :3], colours)
    # A brush of a sixteenth of the longer side, in the middle.
    rows, columns = np.mgrid[:900, :6000] + 0.5
    near = np.hypot(columns - 3000, rows - 450) <= 375 / 2
    np.testing.assert_array_equal(picture[..., 3] == 255, near)
