"""Errors that only a client of a server can have."""

from __future__ import annotations

from nodeflow.errors import NodeflowError


class ServerError(NodeflowError):
    """The server refused a request, or cannot do it.

    Attributes:
        status: HTTP status of its answer.
        detail: Its sentence.
    """

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


class ServerUnreachable(NodeflowError):  # noqa: N818  # a state, as people say it
    """Nobody answers, or the connection was lost and did not come back in time.

    Attributes:
        url: Where the server was looked for.
    """

    def __init__(self, url: str, sentence: str) -> None:
        self.url = url
        super().__init__(sentence)


class JobFailed(NodeflowError):  # noqa: N818  # what became of the job
    """A job that was waited for failed; the message is the server's sentence.

    Attributes:
        job: Its id.
    """

    def __init__(self, job: str, sentence: str) -> None:
        self.job = job
        super().__init__(sentence)
