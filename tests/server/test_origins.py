from __future__ import annotations

import string
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nodeflow.server.origins import Origin, Place, host_name, read_host, read_origin

LABEL = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
NAMES = (
    st.lists(LABEL, min_size=1, max_size=4)
    .map(".".join)
    .filter(lambda name: not name.rpartition(".")[2].isdigit())
)
PORTS = st.none() | st.integers(1, 65535)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("localhost", Place("localhost")),
        ("LocalHost.:8188", Place("localhost", 8188)),
        ("127.0.0.1:80", Place("127.0.0.1", 80)),
        ("[::1]:8188", Place("::1", 8188)),
        ("[0:0:0:0:0:0:0:1]", Place("::1")),
        ("[::ffff:10.0.0.1]", Place("10.0.0.1")),
        ("my_box.local", Place("my_box.local")),
    ],
)
def test_a_host_header_has_one_meaning(text: str, place: Place) -> None:
    assert read_host(text) == place


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":80",
        "::1",
        "[::1",
        "[localhost]",
        "a b",
        "localhost:0",
        "localhost:65536",
        "localhost:",
        "localhost:80:80",
        "user@localhost",
        "localhost/evil",
        "localhost,evil.org",
        "evil.org\\localhost",
        "-a",
        "locälhost",
        "localhost\n",
    ],
)
def test_what_is_no_host_is_none(text: str) -> None:
    assert read_host(text) is None


@given(NAMES, PORTS)
def test_names_are_the_same_in_any_case_and_with_a_last_dot(name: str, port: int | None) -> None:
    tail = f":{port}" if port else ""
    assert (
        read_host(name.upper() + tail) == read_host(f"{name}.{tail}") == Place(name.lower(), port)
    )


@given(st.ip_addresses(), PORTS)
def test_an_address_is_read_as_what_it_is(
    address: IPv4Address | IPv6Address, port: int | None
) -> None:
    written = f"[{address.exploded}]" if address.version == 6 else str(address)
    place = read_host(written + (f":{port}" if port else ""))
    assert place == Place(host_name(str(address)) or "", port)


@given(st.text(max_size=30))
@example("http://localhost:80@evil.org")
@example("http://evil.org#localhost")
def test_no_text_makes_the_reader_fail_or_hides_another_host(text: str) -> None:
    origin = read_origin(f"http://{text}")
    if origin is not None:
        # A browser would go to this very host: nothing was left out.
        assert origin.name in (host_name(text.rpartition(":")[0] or text), host_name(text))
    read_host(text)


@given(st.sampled_from(["http", "https"]), NAMES, st.integers(1, 65535))
def test_an_origin_is_written_as_it_is_read(scheme: str, name: str, port: int) -> None:
    origin = Origin(scheme, name.lower(), port)
    assert read_origin(str(origin)) == origin


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "",
        "http://",
        "localhost",
        "file://",
        "ftp://localhost",
        "http://localhost/",
        "http://a http://b",
        "chrome-extension://abc",
        "http://[::1",
    ],
)
def test_what_is_no_origin_is_none(text: str) -> None:
    assert read_origin(text) is None


def test_the_usual_port_is_the_same_as_none() -> None:
    assert read_origin("https://a.org") == read_origin("HTTPS://A.org:443")
    assert read_origin("http://a.org") != read_origin("http://a.org:443")
