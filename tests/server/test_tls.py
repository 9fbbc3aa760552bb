from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from nodeflow.errors import SettingsError
from nodeflow.server.limits import Limits
from nodeflow.server.protocol import Runner
from nodeflow.server.tls import ssl_context

OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="certificates are made with openssl")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a certificate and its key, another key, and the key encrypted."""
    folder = tmp_path_factory.mktemp("tls")

    def run(*arguments: str) -> None:
        subprocess.run([OPENSSL or "", *arguments], cwd=folder, check=True, capture_output=True)

    make = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj")
    names = ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")
    for name in ("own", "other"):
        to = ("-keyout", f"{name}.key", "-out", f"{name}.pem")
        run("req", "-x509", *make, "/CN=localhost", *names, "-days", "30", *to)
    run("pkey", "-in", "own.key", "-aes128", "-passout", "pass:x", "-out", "closed.key")
    (folder / "text.pem").write_text("hello")
    return folder


async def test_a_server_speaks_tls_with_a_certificate_and_its_key(files: Path) -> None:
    async def hello(request: web.Request) -> web.StreamResponse:
        return web.Response(text=request.scheme)

    app = web.Application()
    app.router.add_get("/", hello)
    runner = Runner(app, Limits())
    await runner.setup()
    context = ssl_context(files / "own.pem", files / "own.key")
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    trust = ssl.create_default_context(cafile=str(files / "own.pem"))
    async with aiohttp.ClientSession() as session:
        url = f"https://localhost:{runner.addresses[0][1]}/"
        async with session.get(url, ssl=trust) as reply:
            assert await reply.text() == "https"
    await runner.cleanup()


def test_without_files_there_is_no_tls() -> None:
    assert ssl_context(None, None) is None


@pytest.mark.parametrize(
    ("cert", "key", "sentence"),
    [
        ("own.pem", None, "--cert needs --key"),
        (None, "own.key", "--key needs --cert"),
        ("none.pem", "own.key", r"--cert names .*none\.pem', which cannot be read: No such"),
        ("own.pem", "none.key", r"--key names .*none\.key', which cannot be read: No such"),
        ("own.pem", "other.key", "does not belong to the certificate"),
        ("text.pem", "own.key", "are no certificate and key in PEM form"),
        ("own.key", "own.pem", "are no certificate and key in PEM form"),
        ("own.pem", "closed.key", "is encrypted. Write it without a password"),
    ],
)
def test_files_that_do_not_work_are_named(
    cert: str | None, key: str | None, sentence: str, files: Path
) -> None:
    with pytest.raises(SettingsError, match=sentence):
        ssl_context(files / cert if cert else None, files / key if key else None)
