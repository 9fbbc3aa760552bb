"""Stages of diffusers' Modular Pipelines: some of a pipeline's blocks, with what they need loaded.

A pipeline is a row of blocks, each of which declares what it reads from a common state, what it
writes there, and which components it calls. By convention the first part of a block's name says
which stage it belongs to: `text_encoder`, `vae_encoder`, `denoise`, `decode`.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoModel, ModularPipeline, SequentialPipelineBlocks
from diffusers.configuration_utils import ConfigMixin
from diffusers.modular_pipelines.modular_pipeline import PipelineState
from diffusers.utils import logging
from torch import nn

from nodeflow import Device, InputError
from nodeflow_nodes.diffusion.families.changes import Change, Part
from nodeflow_nodes.diffusion.families.gguf_parts import load_gguf_part
from nodeflow_nodes.diffusion.families.pretrained import load_part, weight_bytes
from nodeflow_nodes.diffusion.folders import weight_variant
from nodeflow_nodes.diffusion.headers import read_config
from nodeflow_nodes.diffusion.modular_folders import (
    INDEX,
    MODULAR_INDEX,
    gguf_weights,
    weights_layout,
)

Block = Any
"""A `ModularPipelineBlocks`; diffusers has few types."""
Values = Mapping[str, Any]

_PIPELINE: Any = ModularPipeline  # diffusers has few types
_TEXT_ONLY: Values = {"prompt": True}
_WITH_PICTURE: Values = {"prompt": True, "image": True}
TEXT, ENCODE, DENOISE, DECODE = "text_encoder", "vae_encoder", "denoise", "decode"
SEEING_TEXT, SEEING, SEEING_DENOISE = "seeing_text", "image_encoder", "seeing_denoise"
_STAGES: Mapping[str, tuple[str, Values]] = {
    TEXT: (TEXT, _TEXT_ONLY),
    SEEING_TEXT: (TEXT, _WITH_PICTURE),
    ENCODE: (ENCODE, _WITH_PICTURE),
    SEEING: (SEEING, _WITH_PICTURE),
    DENOISE: (DENOISE, _TEXT_ONLY),
    SEEING_DENOISE: (DENOISE, _WITH_PICTURE),
    DECODE: (DECODE, _TEXT_ONLY),
}
"""Stages: how their blocks' names begin, and what is given: blocks may be others for a prompt with
a picture beside it."""


@dataclass(frozen=True)
class Stage:
    """Blocks of a pipeline, and the pipeline that holds their components.

    Attributes:
        pipeline: With the components of these blocks only.
        blocks: By name, in order, none of them conditional.
        folder: The model's folder.
    """

    pipeline: Any
    blocks: Mapping[str, Block]
    folder: Path

    @property
    def name(self) -> str:
        """The pipeline's class."""
        return type(self.pipeline).__name__

    @property
    def modules(self) -> dict[str, nn.Module]:
        """The networks that are loaded."""
        found: dict[str, Any] = self.pipeline.components
        return {name: part for name, part in found.items() if isinstance(part, nn.Module)}

    @property
    def size(self) -> int:
        return sum(map(weight_bytes, self.modules.values()))

    def changed(self, change: Change, part: Callable[[str, nn.Module], Part]) -> Stage:
        """The same with other networks in place of its own.

        Args:
            change: What is done to each.
            part: What a network of this name is to the model.
        """
        pipeline = copy.copy(self.pipeline)
        for name, network in self.modules.items():
            changed = change(part(name, network))
            if changed is not network:
                setattr(pipeline, name, changed)
        return replace(self, pipeline=pipeline)

    def of(self, stage: str) -> list[Block]:
        """The blocks of one stage."""
        return [block for name, block in self.blocks.items() if name.split(".")[0] == stage]

    def inputs(self, blocks: Iterable[Block]) -> set[str]:
        """What these blocks read."""
        return {param.name for block in blocks for param in block.inputs if param.name}

    def begin(self, blocks: Iterable[Block], **given: Any) -> PipelineState:
        """A state with the defaults of what these blocks read, and what is given."""
        state = PipelineState()
        for block in blocks:
            for param in block.inputs:
                if param.name and state.get(param.name) is None:
                    state.set(param.name, param.default, param.kwargs_type)
        for name, value in given.items():
            state.set(name, value)
        return state

    def run(self, blocks: Iterable[Block], state: PipelineState) -> None:
        """Run blocks one after the other.

        Raises:
            InputError: A block refuses what it was given, or lacks something.
        """
        for block in blocks:
            self.run_one(block, state)

    def run_one(self, block: Block, state: PipelineState) -> None:
        """Run one block, as `run`."""
        try:
            with torch.no_grad(), quiet():
                block(self.pipeline, state)
        except UnboundLocalError:
            raise
        except NameError as error:
            # diffusers goes on without a package that is not installed until it calls it.
            raise InputError(
                f"diffusers wants the Python package '{error.name}' for {self.name}; install it, "
                "and start nodeflow again"
            ) from error
        except (ValueError, TypeError, AttributeError, IndexError, KeyError) as error:
            what = str(error).strip() or type(error).__name__
            raise InputError(
                f"{self.name}, diffusers' pipeline for the model {self.folder}, cannot run its "
                f"step {type(block).__name__}: {what}"
            ) from error


def opened(folder: Path) -> Any:
    """The pipeline of a folder, without any weights.

    Raises:
        InputError: diffusers has none for it, or the folder brings code of its own.
    """
    try:
        with quiet():
            return _PIPELINE.from_pretrained(
                str(folder), trust_remote_code=False, local_files_only=True
            )
    except (ValueError, OSError, AttributeError, KeyError, ImportError, RuntimeError) as error:
        raise InputError(
            f"diffusers has no modular pipeline for the model {folder}: {error}"
        ) from error


def stage(folder: Path, *names: str) -> Stage:
    """Stages of a folder's pipeline, their components not loaded yet.

    Args:
        folder: The model's folder.
        names: Of the stages; the last is the one that must be there.

    Raises:
        InputError: As `opened`, or the pipeline has no such stage.
    """
    whole = opened(folder)
    blocks: dict[str, Block] = {}
    for name in names:
        part, given = _STAGES[name]
        flat = _resolved(whole.blocks, given)
        mine = {key: block for key, block in flat.items() if key.split(".")[0] == part}
        blocks |= {name + key.removeprefix(part): block for key, block in mine.items()}
    if not any(key.split(".")[0] == names[-1] for key in blocks):
        raise InputError(
            f"{type(whole).__name__}, diffusers' pipeline for the model {folder}, has no stage "
            f"'{names[-1]}', so this kind of model is not supported yet"
        )
    with quiet():
        pipeline = type(whole)(
            blocks=SequentialPipelineBlocks.from_blocks_dict(blocks),
            pretrained_model_name_or_path=str(folder),
            local_files_only=True,
        )
    return Stage(pipeline, blocks, folder)


def reads_with_picture(folder: Path) -> set[str]:
    """What the denoise stage of a folder's pipeline reads where there is a picture beside the
    prompt."""
    blocks = _resolved(opened(folder).blocks, _WITH_PICTURE)
    mine = [block for key, block in blocks.items() if key.split(".")[0] == DENOISE]
    return {param.name for block in mine for param in block.inputs if param.name}


def load_components(found: Stage, device: Device) -> Stage:
    """The stage, with its components loaded from its folder and from nowhere else.

    Raises:
        InputError: One is missing or broken.
    """
    with quiet():
        found.pipeline.register_components(
            **{
                spec.name: _load(found, spec, device)
                for spec in _specs(found)
                if not _left_out(found, spec.name)
            }
        )
    return found


def load_shells(found: Stage) -> Stage:
    """The stage with its networks' configs but without their weights, and the rest loaded."""
    with quiet():
        found.pipeline.register_components(
            **{
                spec.name: _load(found, spec, Device())
                for spec in _specs(found)
                if not _is_network(spec.type_hint) and not _left_out(found, spec.name)
            }
        )
    return lend_shells(found)


def lend_shells(found: Stage) -> Stage:
    """The stage with the configs of networks that it has not, those of other stages as well: a
    pipeline takes sizes from them, such as how much its autoencoder shrinks pictures."""
    whole = opened(found.folder)
    for name in whole.pretrained_component_names:
        spec = whole.get_component_spec(name)
        place = _place(found.folder, spec)
        known = getattr(found.pipeline, name, None) is not None
        if known or not _is_network(spec.type_hint) or not place.is_dir():
            continue
        if spec.type_hint is not None and issubclass(spec.type_hint, ConfigMixin):
            setattr(found.pipeline, name, _shell(spec.type_hint, place))
    return found


class _Shell:
    """A network's attributes without its weights; no module, so that no device is read off it."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def _shell(kind: Any, place: Path) -> _Shell:
    """A network of diffusers' as its config makes it, all weights left out."""
    config = kind.load_config(str(place), local_files_only=True)
    with torch.device("meta"), quiet():
        return _Shell(kind.from_config(config))


def _resolved(blocks: Any, given: Values) -> dict[str, Block]:
    """The blocks that run when these inputs are given, by their dotted names."""
    if not hasattr(blocks, "sub_blocks") or not blocks.sub_blocks:
        return {}
    found = blocks.get_execution_blocks(**given)
    return dict(found.sub_blocks)


def _specs(found: Stage) -> Iterator[Any]:
    for name in found.pipeline.pretrained_component_names:
        yield found.pipeline.get_component_spec(name)


def _left_out(found: Stage, name: str) -> bool:
    """Whether the model's index says null for it."""
    index = found.folder / INDEX
    if (found.folder / MODULAR_INDEX).exists() or not index.exists():
        return False
    return read_config(index).get(name, name) in (None, [None, None])


def _place(folder: Path, spec: Any) -> Path:
    return folder / str(spec.subfolder or spec.name)


def _is_network(kind: Any) -> bool:
    return kind is None or kind is AutoModel or issubclass(kind, nn.Module)


def _load(found: Stage, spec: Any, device: Device) -> Any:
    place, kind = _place(found.folder, spec), spec.type_hint
    if not place.is_dir():
        what = "a part" if kind is None else f"a {kind.__name__}"
        raise InputError(
            f"the model {found.folder} lacks '{spec.name}', {what} that {found.name} needs; put it "
            f"into {place}"
        )
    if _is_network(kind):
        of = AutoModel if kind is None else kind
        library = "diffusers" if issubclass(of, ConfigMixin) else "transformers"
        part = place.relative_to(found.folder).as_posix()
        packed = gguf_weights(found.folder, spec.name, part)
        if packed is not None:
            return load_gguf_part(of, packed, device)
        variant = weight_variant(found.folder, weights_layout(part, library), part)
        return load_part(of.from_pretrained, place, device, variant)
    try:
        return kind.from_pretrained(str(place), local_files_only=True)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"'{spec.name}' of the model {found.folder} cannot be loaded from {place}: {error}"
        ) from error


_SILENT = 50
"""Python's level for what is critical."""


@contextmanager
def quiet() -> Iterator[None]:
    """diffusers logs what the errors that it raises say, with their tracebacks."""
    before = logging.get_verbosity()
    logging.set_verbosity(_SILENT)
    try:
        yield
    finally:
        logging.set_verbosity(before)
