"""Webhook targets: a server that others can reach calls nobody in its own house."""

from __future__ import annotations

import pytest
from aiohttp import ClientConnectorError, ClientSession
from hypothesis import given
from hypothesis import strategies as st

from nodeflow.server.problems import HttpError
from nodeflow.server.webhook_targets import check_target, connector, is_public, read_target


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.3.4", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1",
        "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "2001:db8::1",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1",
        "2002:7f00:1::", "localhost", "",
    ],
)  # fmt: skip
def test_no_address_of_ones_own_is_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8"))
def test_a_private_address_is_found_in_each_of_its_forms(address: object) -> None:
    number = int(address)  # type: ignore[call-overload]  # an address is a number
    high, low = number >> 16, number & 0xFFFF
    for form in (f"::ffff:{address}", f"64:ff9b::{address}", f"2002:{high:x}:{low:x}::1"):
        assert not is_public(form)


@pytest.mark.parametrize(
    "url",
    [
        "", "nonsense", "/api/jobs", "ftp://example.org/", "file:///etc/passwd", "http://",
        "http:///x", "https://example.org:99999/", "http://user:secret@example.org/",
        "http://exa mple.org/", "http://example.org/\r\nX: y", "javascript:alert(1)",
        "http://example.org/" + "a" * 2000, "http://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_a_sentence(url: str) -> None:
    with pytest.raises(HttpError) as caught:
        read_target(url)
    assert caught.value.status == 422
    assert "secret" not in caught.value.detail


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/", "http://localhost/x", "http://[::1]/", "http://2130706433/"]
)
async def test_a_public_server_takes_no_webhook_of_its_own_machine(url: str) -> None:
    with pytest.raises(HttpError, match="private network") as caught:
        await check_target(url, private=False)
    assert caught.value.status == 422
    await check_target(url, private=True)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_what_a_name_means_is_looked_at_as_the_connection_is_made(host: str) -> None:
    async with ClientSession(connector=connector(private=False)) as session:
        with pytest.raises(ClientConnectorError, match="private network"):
            await session.post(f"http://{host}:9/")
