"""Result URLs: outputs of a job as programs want them, each file with the address it is at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, Field, JsonValue


class ResultView(BaseModel):
    """A file that a job made."""

    url: str = Field(description="Where to get it.")
    digest: str = Field(description="Names the content; it never changes.")
    name: str = Field(description="Path inside the folder of outputs.")
    media_type: str
    size: int = Field(description="Bytes.")
    width: int | None = None
    height: int | None = None


class ResultsView(BaseModel):
    """What an exposed output came to: files, or a value that is JSON."""

    files: list[ResultView] | None = None
    value: JsonValue = None
    type: str | None = Field(None, description="Socket type of a value that cannot be shown.")


def with_urls(outputs: Mapping[str, Any], base: str = "") -> dict[str, Any]:
    """Outputs of `JobFinished` with a `url` in each file.

    Args:
        base: What comes before `/api`; empty for an address on the same server.
    """
    return {
        name: {**output, "files": [_with_url(file, base) for file in output["files"]]}
        if "files" in output
        else dict(output)
        for name, output in outputs.items()
    }


def _with_url(file: Mapping[str, Any], base: str) -> dict[str, Any]:
    return {"url": f"{base}/api/results/{quote(file['digest'], safe='')}", **file}
