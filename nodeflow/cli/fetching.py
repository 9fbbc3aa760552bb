"""Models fetched from the hub, with a progress bar where somebody looks."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

from nodeflow.engine import Engine
from nodeflow.errors import InputError
from nodeflow.model_hub import HubName, fetch, look_up, wanted_models
from nodeflow.workflow import Workflow


def fetch_wanted(engine: Engine, workflow: Workflow) -> None:
    """Fetch the models that a workflow names as the hub does and that are not here.

    Raises:
        InputError: One cannot be fetched; the sentence says where else it was looked for.
    """
    for kind, name, missing in wanted_models(workflow, engine.registry, engine.roots):
        try:
            fetch_one(name, engine.roots.folders[kind][0])
        except InputError as error:
            raise InputError(f"{missing}; {error}") from error


def fetch_one(name: HubName, place: Path, revision: str = "main", variant: str = "") -> None:
    """Fetch a model into a folder; see `look_up` and `fetch`.

    Raises:
        InputError: It cannot be fetched.
    """
    from huggingface_hub.utils.logging import set_verbosity
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if "HF_HUB_VERBOSITY" not in os.environ:
        # Its warnings are for programmers; what goes wrong in the end is told in one sentence.
        set_verbosity(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()
    download = look_up(name, revision, variant)
    print(f"Fetching {name} ({download.size / 1e6:,.0f} MB) to {place}.", file=sys.stderr)
    fetch(download, place)
