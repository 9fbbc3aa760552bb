import json
from pathlib import Path

import pytest

from nodeflow.client.address import Address, find_address
from nodeflow.errors import InputError
from nodeflow.settings import DEFAULT_PORT


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "journal").mkdir(parents=True)
    return tmp_path / "data"


def test_what_the_call_names_counts_most(data, monkeypatch):
    monkeypatch.setenv("NODEFLOW_SERVER", "http://there:1")
    monkeypatch.setenv("NODEFLOW_TOKEN", "theirs")

    assert find_address("https://here:2/", "mine") == Address("https://here:2", "mine")


def test_then_the_settings_count(monkeypatch):
    monkeypatch.setenv("NODEFLOW_SERVER", "there:1")
    monkeypatch.setenv("NODEFLOW_TOKEN", "theirs")

    assert find_address(None, None) == Address("http://there:1", "theirs")


def test_then_the_server_that_works_on_our_data_folder_with_its_token(data):
    (data / "journal" / "server.json").write_text(json.dumps({"url": "http://127.0.0.1:4711"}))
    (data / "token").write_text("secret\n")

    assert find_address(None, None) == Address("http://127.0.0.1:4711", "secret")


@pytest.mark.parametrize("text", [None, "", "{", "[]", '{"url": ""}'])
def test_else_it_is_where_a_server_would_be(data, text):
    if text is not None:
        (data / "journal" / "server.json").write_text(text)

    assert find_address(None, None) == Address(f"http://127.0.0.1:{DEFAULT_PORT}")


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://localhost:1", True),
        ("http://[::1]:1", True),
        ("http://127.0.0.5:1", True),
        ("http://127.0.0.1.example:1", False),
        ("http://192.168.0.7:1", False),
    ],
)
def test_our_own_token_goes_to_this_machine_only(data, url, sent):
    (data / "token").write_text("secret")

    assert find_address(url, None).token == ("secret" if sent else "")


@pytest.mark.parametrize("url", ["ftp://x", "http://", "http://x:0", "http://x:port", "http://[:1"])
def test_what_is_no_address_is_said(url):
    with pytest.raises(InputError, match="is no address of a server"):
        find_address(url, "")
