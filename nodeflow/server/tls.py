"""TLS: a certificate and its key, or a sentence about what is wrong with them."""

from __future__ import annotations

import ssl
from pathlib import Path

from nodeflow.errors import SettingsError


def ssl_context(cert: Path | None, key: Path | None) -> ssl.SSLContext | None:
    """What a server speaks TLS with; None if neither file is named.

    Args:
        cert: PEM file with the certificate, and those between it and the root.
        key: PEM file with its key, not encrypted.

    Raises:
        SettingsError: Only one is named, one cannot be read, or they do not fit.
    """
    if cert is None and key is None:
        return None
    if cert is None or key is None:
        given, wanted = ("--key", "--cert") if cert is None else ("--cert", "--key")
        raise SettingsError(f"{given} needs {wanted}: TLS takes a certificate and its key.")
    for option, path in (("--cert", cert), ("--key", key)):
        _refuse_unreadable(option, path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except ssl.SSLError as error:
        reason = error.reason or str(error)
        what = (
            f"the key '{key}' does not belong to the certificate '{cert}'"
            if reason == "KEY_VALUES_MISMATCH"
            else f"'{cert}' and '{key}' are no certificate and key in PEM form ({reason})"
        )
        raise SettingsError(f"TLS cannot be used: {what}.") from error
    except _EncryptedKeyError as error:
        raise SettingsError(
            f"TLS cannot be used: the key '{key}' is encrypted. Write it without a password with "
            f"`openssl pkey -in {key} -out plain.pem`."
        ) from error
    return context


class _EncryptedKeyError(Exception):
    pass


def _no_password() -> str:
    # Without this, OpenSSL would ask on the terminal, and a server would seem to hang.
    raise _EncryptedKeyError


def _refuse_unreadable(option: str, path: Path) -> None:
    try:
        with path.open("rb") as file:
            file.read(1)
    except OSError as error:
        raise SettingsError(
            f"{option} names '{path}', which cannot be read: {error.strerror}."
        ) from error
