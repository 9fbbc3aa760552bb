"""Webhook signing, against the worked example of Standard Webhooks."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from nodeflow.errors import SettingsError
from nodeflow.server.webhook_signing import keep_secret, read_secret, signed


def test_the_signature_is_that_of_the_specification() -> None:
    key = read_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Path("x"))
    headers = signed(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert headers == {
        "Webhook-Id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "Webhook-Timestamp": "1614265330",
        "Webhook-Signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_the_secret_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    key = keep_secret(tmp_path / "data")
    path = tmp_path / "data" / "webhook_secret"
    assert len(key) == 32
    assert path.read_text().startswith("whsec_")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert keep_secret(tmp_path / "data") == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == ["webhook_secret"]


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_???", "é"])
def test_a_file_without_a_secret_is_told_of(tmp_path: Path, text: str) -> None:
    (tmp_path / "webhook_secret").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError, match="Delete it"):
        keep_secret(tmp_path)
