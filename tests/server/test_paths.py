"""Names from outside: whatever is accepted stays inside of its root and means one file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.paths import accepted, clean, inside
from nodeflow.server.problems import HttpError
from nodeflow.server.shelf_files import workflow_name

_NASTY = st.sampled_from(
    ["..", ".", "", "/", "\\", "a", "\0", "~", "C:", "a.", "a ", "con", "%2e%2e", "é", "e\u0301"]
)
_NAMES = st.one_of(
    st.text(max_size=300),
    st.lists(st.one_of(_NASTY, st.text(max_size=20)), max_size=6).map("/".join),
)


def _or_refused(check: Callable[..., str], *arguments: str) -> str | None:
    """What a check makes of a name; None if it refuses it as it should."""
    caught = None
    try:
        return check(*arguments)
    except HttpError as error:
        caught = error
    assert caught.status == 400
    assert caught.detail.endswith(".")
    return None


@given(_NAMES)
def test_whatever_is_accepted_stays_inside_and_is_its_own_clean_form(name: str) -> None:
    root = Path("/root/of/names")
    found = _or_refused(clean, name, "file")
    if found is None:
        return
    assert clean(found, "file") == found == unicodedata.normalize("NFC", name)
    path = inside(root, found, "file")
    assert path.is_relative_to(root)
    assert path != root
    assert path.relative_to(root).as_posix() == found


@given(_NAMES)
def test_a_workflow_has_one_name_with_and_without_its_ending(name: str) -> None:
    found = _or_refused(workflow_name, name)
    if found is None:
        return
    assert workflow_name(found) == found
    assert not found.endswith(".json")
    assert accepted(found, workflow_name)
    if len(found) <= 90:
        assert workflow_name(f"{found}.json") == found


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", "is empty"),
        ("../a", "leads out"),
        ("a/../b", "leads out"),
        ("/etc/passwd", "starts with '/'"),
        ("a//b", "empty part"),
        ("a/", "empty part"),
        ("./a", "hidden"),
        (".git/config", "hidden"),
        ("a\\b", "backslash"),
        ("C:/a", "colon"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\u202eb", "turns the direction"),
        ("a.", "dot or a space"),
        ("a /b", "dot or a space"),
        ("nul", "device"),
        ("a/COM1.txt", "device"),
        ("a" * 101, "101 characters"),
        ("ß" * 101, "101 characters"),
        ("\U0001f600" * 60, "200 bytes"),
        ("/".join(["abc"] * 61), "240 is the limit"),
    ],
)
def test_a_refusal_names_the_fault(name: str, part: str) -> None:
    with pytest.raises(HttpError) as caught:
        clean(name, "workflow")
    assert caught.value.status == 400
    assert part in caught.value.detail


def test_a_link_may_lead_about_inside_but_not_out(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "real").mkdir(parents=True)
    (root / "real" / "a.json").write_text("{}")
    (tmp_path / "secret.json").write_text("{}")
    (root / "near").symlink_to(root / "real")
    (root / "far").symlink_to(tmp_path)
    (root / "round").symlink_to(root / "round")
    assert inside(root, "near/a.json", "workflow").read_text() == "{}"
    with pytest.raises(HttpError, match="leads out of its folder") as caught:
        inside(root, "far/secret.json", "workflow")
    assert caught.value.status == 403
    with pytest.raises(HttpError):
        inside(root, "round/a.json", "workflow").read_text()
