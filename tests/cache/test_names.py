from __future__ import annotations

from pathlib import Path

from tests.cache.conftest import OpenStore


def test_names_count_on_from_the_highest_file(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    folder = tmp_path / "out"
    assert store.reserve("a", 0, folder, "pic", ".png") == folder / "pic_0001.png"
    folder.mkdir()
    for name in ("pic_0007.png", "pic_0009.jpg", "other_0050.png", "pic_12.png", "xpic_0060.png"):
        (folder / name).touch()
    again = open_store()
    assert again.reserve("b", 0, folder, "pic", ".png") == folder / "pic_0008.png"
    assert again.reserve("b", 1, folder, "pic", ".jpg") == folder / "pic_0010.jpg"


def test_a_promise_is_kept_until_it_is_settled(open_store: OpenStore, tmp_path: Path) -> None:
    first = open_store()
    one = first.reserve("job", 0, tmp_path, "pic", ".png")
    two = first.reserve("job", 1, tmp_path, "pic", ".png")
    first.close()
    second = open_store()
    one.touch()  # unfinished business of the first: it is its own name
    assert second.reserve("job", 0, tmp_path, "pic", ".png") == one
    assert second.reserve("job", 1, tmp_path, "pic", ".png") == two
    assert second.reserve("other", 0, tmp_path, "pic", ".png") == tmp_path / "pic_0003.png"
    second.settle("job")
    assert second.reserve("job", 0, tmp_path, "pic", ".png") == tmp_path / "pic_0004.png"
    assert second.info()["promises"] == 2


def test_a_name_that_another_program_takes_meanwhile_is_passed_over(
    open_store: OpenStore, tmp_path: Path
) -> None:
    store = open_store()
    store.reserve("a", 0, tmp_path, "pic", ".png")
    (tmp_path / "pic_0002.png").touch()
    (tmp_path / "pic_0003.png").symlink_to("nowhere")
    assert store.reserve("a", 1, tmp_path, "pic", ".png") == tmp_path / "pic_0004.png"


def test_a_promise_for_another_pattern_is_made_anew(open_store: OpenStore, tmp_path: Path) -> None:
    store = open_store()
    store.reserve("a", 0, tmp_path, "pic", ".png")
    assert store.reserve("a", 0, tmp_path, "other", ".png") == tmp_path / "other_0001.png"
    assert store.reserve("b", 0, tmp_path, "pic", ".png").name in ("pic_0001.png", "pic_0002.png")
    assert store.info()["promises"] == 2


def test_stems_with_special_characters_are_taken_as_they_are(
    open_store: OpenStore, tmp_path: Path
) -> None:
    (tmp_path / "a+(b)_0004.png").touch()
    (tmp_path / "aab_0009.png").touch()
    path = open_store().reserve("t", 0, tmp_path, "a+(b)", ".png")
    assert path.name == "a+(b)_0005.png"
