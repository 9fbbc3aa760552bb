from __future__ import annotations

from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server.access import Access, is_loopback
from nodeflow.server.origins import Origin, Place


@pytest.mark.parametrize(
    "bind", ["127.0.0.1", "127.0.0.5", "::1", "[::1]", "localhost", "LOCALHOST."]
)
def test_loopback_needs_no_token(bind: str, tmp_path: Path) -> None:
    assert is_loopback(bind)
    access = Access.of(bind, tmp_path)
    assert access.token is None
    assert access.admits(None)
    assert not (tmp_path / "token").exists()


@pytest.mark.parametrize("bind", ["0.0.0.0", "::", "", "192.168.1.5", "render.example.org"])
def test_every_other_address_needs_one(bind: str, tmp_path: Path) -> None:
    access = Access.of(bind, tmp_path)
    assert access.token == (tmp_path / "token").read_text().strip()
    assert access.admits(access.token)
    assert not access.admits(None)
    assert not access.admits("")
    assert not access.admits(access.token[:-1])


def test_a_token_may_be_asked_for_on_loopback_too(tmp_path: Path) -> None:
    assert not Access.of("127.0.0.1", tmp_path, always_token=True).admits(None)


def test_the_bind_address_and_what_is_allowed_are_known_names(tmp_path: Path) -> None:
    access = Access.of("192.168.1.5", tmp_path, allow_hosts=["Render.Example.org", "fd00::1"])
    for name in ("localhost", "127.0.0.1", "::1", "192.168.1.5", "render.example.org", "fd00::1"):
        assert access.knows(Place(name), ""), name
    assert not access.knows(Place("evil.org"), "192.168.1.5")


def test_the_address_that_a_connection_came_to_is_a_known_name(tmp_path: Path) -> None:
    access = Access.of("0.0.0.0", tmp_path)
    assert access.knows(Place("10.0.0.7"), "10.0.0.7")
    assert access.knows(Place("10.0.0.7"), "::ffff:10.0.0.7")
    assert not access.knows(Place("10.0.0.8"), "10.0.0.7")


def test_pages_of_the_server_itself_and_of_allowed_origins_are_welcome(tmp_path: Path) -> None:
    access = Access.of("127.0.0.1", tmp_path, allow_origins=["https://editor.example.org/"])
    place = Place("localhost", 8188)
    assert access.welcomes(Origin("http", "localhost", 8188), place)
    assert access.welcomes(Origin("https", "editor.example.org", 443), place)
    for other in (
        Origin("https", "localhost", 8188),
        Origin("http", "localhost", 8189),
        Origin("http", "127.0.0.1", 8188),
        Origin("http", "editor.example.org", 80),
    ):
        assert not access.welcomes(other, place), other


@pytest.mark.parametrize("host", ["http://a.org", "a.org:80", "a b", ""])
def test_a_host_that_is_none_is_refused_at_the_start(host: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--allow-host cannot be"):
        Access.of("127.0.0.1", tmp_path, allow_hosts=[host])


@pytest.mark.parametrize("origin", ["null", "a.org", "*", "http://a.org/path"])
def test_an_origin_that_is_none_is_refused_at_the_start(origin: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="--allow-origin cannot be"):
        Access.of("127.0.0.1", tmp_path, allow_origins=[origin])
