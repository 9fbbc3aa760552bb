"""A process that dies in any way it is told to, for the tests of `WorkerProcess`."""

from __future__ import annotations

import faulthandler
import os
import signal
import sys
import threading
import time

from nodeflow.worker.messages import Cancel, Happened, Message, Ready, Stop
from nodeflow.worker.pipe import Pipe


def main() -> None:
    pipe = Pipe.taken()
    faulthandler.enable(all_threads=False)
    if "--last-breath" in sys.argv:
        os._exit(4)

    def crash() -> None:
        faulthandler._sigsegv()  # type: ignore[attr-defined]  # made for tests

    def flood(count: int) -> None:
        for number in range(count):
            pipe.send(Happened("job", [{"event": "node_log", "job": "job", "number": number}]))

    def leave(code: int) -> None:
        print("ValueError: no more apples", file=sys.stderr, flush=True)
        os._exit(code)

    def leave_a_child() -> None:
        # It inherits standard error, which stays open when this process has ended.
        if os.fork() == 0:
            time.sleep(3)
            os._exit(0)
        os._exit(5)

    acts = {
        "crash": crash,
        "abort": os.abort,
        "leave": lambda: leave(7),
        "leave a child": leave_a_child,
        "be killed": lambda: os.kill(os.getpid(), signal.SIGKILL),
        "be terminated": lambda: os.kill(os.getpid(), signal.SIGTERM),
        "freeze": lambda: os.kill(os.getpid(), signal.SIGSTOP),
        "babble": lambda: os.write(pipe._outgoing, b"\0\0\0\2\0\0\0\0[]"),
        "hang up": lambda: os.dup2(2, pipe._outgoing),
        "print": lambda: os.write(1, b"from below\n"),
        "flood": lambda: flood(20_000),
        "ignore": lambda: stubborn.set(),
    }
    stubborn = threading.Event()

    def receive(message: Message) -> None:
        if isinstance(message, Cancel):
            acts[message.job]()
        elif isinstance(message, Stop) and not stubborn.is_set():
            os._exit(0)

    if "--deaf" in sys.argv:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.listen(receive)
    pipe.beat()
    pipe.send(Ready(os.getpid()))
    while True:
        time.sleep(1)


if __name__ == "__main__":
    main()
