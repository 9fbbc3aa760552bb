"""What spandrel's source says of architectures is what spandrel does."""

from __future__ import annotations

import pytest
from nodeflow_nodes.upscale.architectures import architecture_of, conditions
from spandrel import MAIN_REGISTRY

from tests.nodes.upscale.architectures import NAMES, architecture


def test_all_that_spandrel_knows_are_known_in_its_order() -> None:
    asked = [known.architecture.name for known in MAIN_REGISTRY.architectures("detection")]
    assert list(conditions()) == asked


@pytest.mark.filterwarnings("ignore::UserWarning")  # the libraries' own, of old arguments
@pytest.mark.parametrize("name", NAMES)
def test_names_of_tensors_tell_what_spandrel_finds(name: str) -> None:
    state = architecture(name)
    asked = MAIN_REGISTRY.architectures("detection")
    assert architecture_of(state) == next(a.architecture.name for a in asked if a.detect(state))


def test_other_weights_are_of_no_architecture() -> None:
    assert architecture_of({"model.diffusion_model.input_blocks.0.0.weight": 1}) is None
