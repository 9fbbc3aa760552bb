"""What is known of control networks before a run. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.control_keys import ControlFile
from nodeflow_nodes.diffusion.hooks import Facts, Known, check_together, check_walk_part


def control_facts(file: Known) -> dict[str, Facts]:
    """Facts of `load_controlnet`; an unusable file is said here."""
    if not isinstance(file, Path):
        return {}
    found = ControlFile.read(file)
    return {"controlnet": {"family": found.family, "text_width": found.text_width}}


def check_control(
    positive: Known, negative: Known, controlnet: Known, start: Known, end: Known
) -> None:
    """The control network must be for the model that the prompts are for."""
    check_walk_part(start, end)
    check_together(positive, negative)
    facts = _facts(controlnet)
    for name, prompt in (("positive", _facts(positive)), ("negative", _facts(negative))):
        for fact, words in (("family", "the family"), ("text_width", "text of width")):
            theirs, ours = prompt.get(fact), facts.get(fact)
            if theirs is not None and ours is not None and theirs != ours:
                raise InputError(
                    f"the control network is for {words} {ours}, and the {name} prompt is for "
                    f"{theirs}; choose a control network of the model's family"
                )


def controlled_facts(positive: Known, negative: Known) -> dict[str, Facts]:
    """Facts of `apply_controlnet`: those of the prompts."""
    return {"positive": _facts(positive), "negative": _facts(negative)}


def _facts(known: Known) -> Facts:
    return known if isinstance(known, Mapping) else {}
