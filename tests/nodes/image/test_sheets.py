"""The contact sheet: where pictures and labels come to lie."""

from __future__ import annotations

import pytest
import torch
from nodeflow_nodes.image.sheets import contact_sheet

from nodeflow import Image, InputError


def plain(colour: float, height: int = 10, width: int = 12) -> Image:
    return Image(torch.full((1, height, width, 1), colour))


def test_pictures_lie_in_rows_with_gaps_of_background(make_image) -> None:
    images = [make_image(1, 10, 12, 3).flip(1) * (index / 4) for index in range(4)]
    sheet = contact_sheet([Image(image) for image in images], gap=2, background="black")
    assert sheet.shape == (1, 2 + 2 * 12, 2 + 2 * 14, 3)
    torch.testing.assert_close(sheet[0, 2:12, 2:14], images[0][0], atol=1 / 255, rtol=0)
    torch.testing.assert_close(sheet[0, 14:24, 16:28], images[3][0], atol=1 / 255, rtol=0)
    assert sheet[0, :2].eq(0).all()


def test_batches_count_as_many_and_columns_can_be_given(make_image) -> None:
    assert contact_sheet([make_image(5)], columns=5, gap=0).shape == (1, 6, 40, 3)
    assert contact_sheet([make_image(5)], columns=99, gap=0).shape == (1, 6, 40, 3)
    assert contact_sheet([make_image(5)], gap=0).shape == (1, 12, 24, 3)


def test_smaller_pictures_stand_in_the_middle_of_their_cell() -> None:
    sheet = contact_sheet([plain(0.0, 10, 10), plain(0.0, 4, 2)], columns=2, gap=0)
    cell = sheet[0, :, 10:, 0]
    assert cell[3:7, 4:6].eq(0).all()
    assert cell.sum() == 100 - 8


def test_labels_are_written_below_and_stay_inside_their_cell() -> None:
    images, labels = [plain(1.0, 20, 60), plain(1.0, 20, 60)], ["apple", ""]
    sheet = contact_sheet(images, labels, columns=2, gap=0, text_size=12)
    assert sheet.shape == (1, 20 + 16, 120, 3)
    assert sheet[0, :20].eq(1).all()
    assert sheet[0, 20:, :60].min() < 0.3
    assert sheet[0, :, 60:].eq(1).all()
    long = contact_sheet(images, ["a very long label " * 20, ""], columns=2, gap=0, text_size=12)
    assert long[0, 20:, :60].min() < 0.3
    assert long[0, :, 60:].eq(1).all()


def test_a_label_takes_as_many_lines_as_its_words_need_but_three_at_most() -> None:
    heights = [
        contact_sheet([plain(1.0, 10, 40)], [label], gap=0, text_size=12).shape[1] - 10
        for label in ("red", "red apple", "red apple on table", "red apple on the large table " * 9)
    ]
    assert heights == [16, 32, 48, 48]


def test_accents_are_dropped_since_the_font_has_none() -> None:
    cell = [plain(1.0, 10, 60)]
    assert torch.equal(contact_sheet(cell, ["très"]), contact_sheet(cell, ["tres"]))
    assert not torch.equal(contact_sheet(cell, ["très"]), contact_sheet(cell, ["trs"]))


def test_text_of_any_language_and_several_lines_is_drawn() -> None:
    sheet = contact_sheet([plain(1.0, 20, 90)], ["Äpfel\n林檎\t🍎"], gap=0)
    assert sheet[0, 20:].min() < 0.5


def test_a_clear_background_gives_an_alpha_channel() -> None:
    sheet = contact_sheet([plain(1.0)], gap=1, background="#00000000")
    assert sheet[0, 0, 0].tolist() == [0, 0, 0, 0]
    assert sheet[0, 1, 1].tolist() == [1, 1, 1, 1]


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(InputError, match="no picture for the contact sheet"):
        contact_sheet([])
    with pytest.raises(InputError, match="there are 2 labels for 1 pictures"):
        contact_sheet([plain(1.0)], ["a", "b"])
    with pytest.raises(InputError, match="would be 1600200 x 401, more than the limit of 256"):
        contact_sheet([plain(1.0, 1, 15_800)] * 100, columns=100, gap=200)
