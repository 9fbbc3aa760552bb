"""`nodeflow serve`."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import ssl
import sys
from pathlib import Path
from typing import Annotated, Literal

import typer
from aiohttp import web

from nodeflow.cli.options import Compile, CompileBlocks, LowerPrecision, settings_with
from nodeflow.errors import SettingsError
from nodeflow.server.access import Access
from nodeflow.server.app import Options, make_app
from nodeflow.server.logs import ServerLog
from nodeflow.server.protocol import Runner
from nodeflow.server.site import find_site
from nodeflow.server.state import STATE
from nodeflow.server.tls import ssl_context
from nodeflow.settings import DEFAULT_PORT, Settings

app = typer.Typer()

END_SECONDS = 3.0
"""How long requests that are being answered may take when the server is asked to end."""


@app.command("serve")
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; other than this computer's needs a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="0 takes any that is free.")
    ] = DEFAULT_PORT,
    cert: Annotated[Path | None, typer.Option(help="PEM file: serve by TLS.")] = None,
    key: Annotated[Path | None, typer.Option(help="PEM file with the certificate's key.")] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="A name that the server is known as.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="Pages from there may use the server."),
    ] = None,
    require_token: Annotated[
        bool, typer.Option("--require-token", help="Ask for the token on this computer too.")
    ] = False,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda:0, mps or any other device of torch.")
    ] = "auto",
    precision: Annotated[
        Literal["auto", "fp32", "bf16", "fp16"], typer.Option(help="Of the models' numbers.")
    ] = "auto",
    compile: Compile = False,
    compile_blocks: CompileBlocks = False,
    lower_precision: LowerPrecision = False,
    build: Annotated[
        bool,
        typer.Option("--build/--no-build", help="In a checkout: build the editor if it changed."),
    ] = True,
) -> None:
    """Serve workflows over HTTP, with a queue that survives crashes.

    What is handed in is on disk before it is acknowledged; after a crash, or when you end the
    server with Ctrl-C, the next start goes on where it was.
    """
    settings = settings_with(compile, compile_blocks, lower_precision)
    context = ssl_context(cert, key)
    access = Access.of(
        host,
        settings.data,
        secure=context is not None,
        allow_hosts=allow_host or [],
        allow_origins=allow_origin or [],
        always_token=require_token,
    )
    with ServerLog(settings.data / "logs"), _listening(host, port) as listener:
        # A port that is taken is told before the time is spent.
        options = Options(
            access=access,
            bind=host,
            device=device,
            precision=precision,
            site=find_site(_say, may_build=build),
        )
        asyncio.run(_serve(settings, options, listener, context))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _listening(host: str, port: int) -> socket.socket:
    """A socket that takes connections from now on; they wait until the server answers.

    Raises:
        SettingsError: The address is taken, or is none of this computer's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise SettingsError(
            f"The server cannot listen at {host}, port {port}: {error.strerror or error}. "
            "Choose another with --host or --port."
        ) from error


async def _serve(
    settings: Settings, options: Options, listener: socket.socket, context: ssl.SSLContext | None
) -> None:
    runner = Runner(
        make_app(settings, options),
        options.limits,
        shutdown_timeout=END_SECONDS,
        handler_cancellation=True,
    )
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows has only KeyboardInterrupt
            loop.add_signal_handler(number, end.set)
    await runner.setup()
    try:
        await web.SockSite(runner, listener, ssl_context=context, backlog=1024).start()
        url = _url(options, listener)
        runner.app[STATE].lock.announce(url)
        _greet(url, settings, options)
        await end.wait()
        print("Ending; what is queued is kept.", file=sys.stderr)
    finally:
        await runner.cleanup()


def _url(options: Options, listener: socket.socket) -> str:
    host = options.bind
    if host in ("", "0.0.0.0", "::"):
        host = socket.gethostname()
    name = f"[{host}]" if ":" in host else host
    return f"{options.access.scheme}://{name}:{listener.getsockname()[1]}"


def _greet(url: str, settings: Settings, options: Options) -> None:
    print(f"nodeflow serves at {url} (Ctrl-C ends it).")
    print(f"Editor: {url}/")
    print(f"API: {url}/docs")
    print(f"Data: {settings.data}")
    if options.access.token is not None:
        print(f"Token, also in '{settings.data / 'token'}': {options.access.token}")
    sys.stdout.flush()
