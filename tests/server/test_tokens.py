from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server.tokens import cookie_name, keep_token, same_token


def test_a_token_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    token = keep_token(folder)
    assert len(token) >= 43
    assert keep_token(folder) == token
    assert stat.S_IMODE((folder / "token").stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == ["token"]


def test_starts_at_the_same_time_agree_on_one_token(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(keep_token, [tmp_path] * 32))) == 1


def test_a_token_of_the_user_is_taken_and_closed_to_others(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text("  my-own-token-of-many-letters\n")
    path.chmod(0o644)
    assert keep_token(tmp_path) == "my-own-token-of-many-letters"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"", b"short", b"with a space in the middle", b"\xff" * 40])
def test_a_file_without_a_good_token_is_refused_with_the_way_out(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "token").write_bytes(content)
    with pytest.raises(SettingsError, match=r"holds no token of 16 or more.*Delete it"):
        keep_token(tmp_path)


def test_a_folder_that_cannot_be_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match=r"token file .* cannot be used: Not a directory"):
        keep_token(tmp_path / "file")


def test_tokens_are_compared_whatever_letters_they_have() -> None:
    assert same_token("abc", "abc")
    assert not same_token("äöü\udc80", "abc")
    assert not same_token("", "abc")


def test_servers_on_one_host_have_cookies_of_their_own() -> None:
    assert cookie_name("one") != cookie_name("two")
    assert cookie_name("one").isidentifier()
