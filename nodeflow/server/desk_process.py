"""The helper of the desk: a process that reads, checks and writes what would stall the server.

A body of 50 MB is parsed in calls that hold Python's lock for seconds; in a process of its own
that is nobody else's concern. Large bodies take turns among themselves, small ones pass them.
"""

from __future__ import annotations

import argparse
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from queue import SimpleQueue

from nodeflow.errors import NodeflowError, WorkflowError
from nodeflow.server.catalog import NodeCatalog
from nodeflow.server.desk_messages import Found, Made, Named, Opened, Refused, Work
from nodeflow.server.document_files import INCOMING, Writer
from nodeflow.server.opening import opened
from nodeflow.server.preparing import Surroundings, prepare, problems_of, read_request
from nodeflow.server.problems import HttpError
from nodeflow.settings import Settings
from nodeflow.worker.messages import Message, Ready, Stop
from nodeflow.worker.pipe import Pipe

logger = logging.getLogger(__name__)

LARGE = 1 << 20
"""More bytes than this wait for one another."""


class Helper:
    """Does the work that comes in, in two lanes.

    Args:
        folder: For the documents' files.
        pipe: To the server.
    """

    def __init__(self, catalog: NodeCatalog, folder: Path, pipe: Pipe) -> None:
        self._catalog = catalog
        self._folder = folder
        self._pipe = pipe
        self._generation = -1
        self._loading = threading.Lock()
        self._small: SimpleQueue[Work] = SimpleQueue()
        self._large: SimpleQueue[Work] = SimpleQueue()
        self._ended = threading.Event()

    def run(self) -> None:
        """Work until the server says stop or is gone."""
        self._pipe.listen(self._receive)
        self._pipe.beat()
        self._pipe.send(Ready(os.getpid()))
        for lane in (self._small, self._large):
            threading.Thread(target=self._serve, args=(lane,), daemon=True).start()
        self._ended.wait()

    def _receive(self, message: Message) -> None:
        if isinstance(message, Work):
            (self._large if message.size > LARGE else self._small).put(message)
        elif isinstance(message, Stop):
            self._ended.set()

    def _serve(self, lane: SimpleQueue[Work]) -> None:
        while True:
            work = lane.get()
            self._pipe.send(self._answer(work))

    def _answer(self, work: Work) -> Message:
        writer = Writer(self._folder)
        try:
            return self._do(work, writer)
        except WorkflowError as error:
            problems = [problem.as_json() for problem in error.problems]
            answer = Refused(work.number, source=error.source, problems=problems)
        except HttpError as error:
            problems = [problem.as_json() for problem in error.problems]
            answer = Refused(work.number, error.status, error.detail, problems=problems)
        except (NodeflowError, OSError) as error:
            answer = Refused(work.number, 503, f"The request cannot be prepared: {error}")
        except Exception:
            logger.exception("The desk's helper cannot do work %d", work.number)
            answer = Refused(work.number, 500, "The server made a mistake; its log says which.")
        writer.undo()
        return answer

    def _do(self, work: Work, writer: Writer) -> Message:
        text = Path(work.file).read_bytes() if work.file else work.text.encode()
        if work.purpose == "read":
            return Opened(work.number, writer.put(opened(text, work.source)))
        request = read_request(text, named=work.source, bare=work.purpose == "check")
        del text
        if request.data is None and not work.source:
            return Named(work.number, request.body.model_dump())
        around = self._surroundings(work)
        named = None
        if request.data is None:
            path = work.workflow_file
            named = Path(path).read_bytes() if path else work.workflow.encode()
        if work.purpose == "check":
            found = problems_of(request, named, around)
            return Found(work.number, [problem.as_json() for problem in found])
        return Made.of(work.number, prepare(request, named, around, writer))

    def _surroundings(self, work: Work) -> Surroundings:
        with self._loading:
            if work.generation != self._generation:
                self._catalog.load()
                self._generation = work.generation
        return Surroundings(self._catalog.registry, self._catalog.roots, work.nodes)


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve the server whose pipes are standard input and output."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="desk", help="what the server calls this process")
    parser.parse_args(arguments)
    pipe = Pipe.taken()
    logging.basicConfig(level=logging.INFO, format="%(name)s: %(message)s")
    settings = Settings()
    Helper(NodeCatalog(settings), settings.data / "journal" / INCOMING, pipe).run()


if __name__ == "__main__":
    main()
