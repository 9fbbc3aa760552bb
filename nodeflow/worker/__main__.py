"""`python -m nodeflow.worker --name cpu`: started by the server, which it talks to by its pipes."""

from __future__ import annotations

import _thread
import argparse
import faulthandler
import logging
import os
import signal
import sys

from nodeflow.errors import SettingsError
from nodeflow.worker.gauge import Gauge
from nodeflow.worker.inbox import Inbox
from nodeflow.worker.outbox import Outbox
from nodeflow.worker.pipe import Pipe

BAD_SETTINGS = 2


def main() -> int:
    """Be a worker until the server says stop, or is gone."""
    options = _options()
    pipe = Pipe.taken()
    # Of the thread that crashed only: that is the one which the server names.
    faulthandler.enable(all_threads=False)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    outbox = Outbox(pipe.send)
    inbox = Inbox(pipe.send)
    gauge = Gauge()
    _obey_signals(inbox)
    pipe.listen(inbox.receive)
    pipe.beat(gauge)
    # Only now, when the server hears of it and is heard: this takes most of a second.
    from nodeflow.worker.process import work

    try:
        work(options.name, options.device, options.precision, pipe, inbox, outbox, gauge)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return BAD_SETTINGS
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m nodeflow.worker")
    parser.add_argument("--name", required=True, help="what the server calls this worker")
    parser.add_argument("--device", default="auto", help="auto, or what torch.device takes")
    parser.add_argument("--precision", default="auto", help="auto, fp32, bf16 or fp16")
    return parser.parse_args()


def _obey_signals(inbox: Inbox) -> None:
    """Ctrl-C is the server's; to be terminated is to be stopped."""

    def stop(_signal: int, _frame: object) -> None:
        # On a thread of its own: the code that was interrupted may hold the inbox's lock.
        _thread.start_new_thread(inbox.stop, ())

    # Not SIG_IGN, which the programs that nodes start would inherit.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, stop)


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # All is written. Going through the ends of libraries would only take time, or crash.
    os._exit(code)
