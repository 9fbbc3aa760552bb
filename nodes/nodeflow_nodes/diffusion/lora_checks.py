"""What is known of a LoRA before a run: whether it is for the model. Quick to import."""

from __future__ import annotations

from pathlib import Path

from pydantic import JsonValue

from nodeflow import InputError
from nodeflow_nodes.diffusion.families.by_size import OF_UNETS as BY_TEXT_WIDTH
from nodeflow_nodes.diffusion.families.lora_layers import (
    DENOISER,
    FAMILIES,
    HIGH,
    LOW,
    OF_UNETS,
    TEXT_ENCODERS,
    LoraFile,
    some,
)
from nodeflow_nodes.diffusion.hooks import Facts, Known, facts_of
from nodeflow_nodes.diffusion.modular_folders import (
    MODULAR,
    components,
    denoising,
    network_modules,
)


def check_lora(model: Known, text_encoder: Known, file: Known, strength_text: Known = 1.0) -> None:
    """The LoRA must be for a model of this family and size, as far as the header tells."""
    if not isinstance(file, Path):
        return
    lora = LoraFile.read(file)
    _check_network(lora, facts_of(model))
    facts = facts_of(text_encoder)
    if facts.get("family") == MODULAR and strength_text != 0:
        _check_no_text(lora)
    made, wanted = facts.get("text_width"), sum(lora.encoder_widths.values())
    # A model with several text encoders may have a LoRA for some of them.
    if isinstance(made, int) and wanted > made:
        raise InputError(
            f"the LoRA {file} is for text encoders of width {wanted}, and this model's make "
            f"{made}; choose a LoRA of the model's family"
        )


def check_lora_model(model: Known, file: Known, noise: Known = "all") -> None:
    """The same where only the network is changed, and where one of two is, there must be two."""
    if noise in (HIGH, LOW):
        _check_two(facts_of(model), str(noise))
    if not isinstance(file, Path):
        return
    lora = LoraFile.read(file)
    if not lora.layers.get(DENOISER):
        raise InputError(f"the LoRA {file} changes text encoders only; use load_lora for it")
    _check_network(lora, facts_of(model))


def lora_facts(model: Known, text_encoder: Known, file: Known = None) -> dict[str, Facts]:
    """Facts of `load_lora`: those of what it changes, or of the file where nothing else is told,
    as when the catalog of models asks."""
    if model is None and text_encoder is None:
        return {"model": _told(file)}
    return {"model": facts_of(model), "text_encoder": facts_of(text_encoder)}


def lora_model_facts(model: Known, file: Known = None) -> dict[str, Facts]:
    """Facts of `load_lora_model`: those of the network, or of the file; see `lora_facts`."""
    return {"model": _told(file) if model is None else facts_of(model)}


def _told(file: Known) -> Facts:
    if not isinstance(file, Path):
        return {}
    lora = LoraFile.read(file)
    known = BY_TEXT_WIDTH.get(lora.text_width)
    families: list[JsonValue] = [*sorted(lora.families)]
    if known in lora.families:
        families = [known]
    return {"precision": lora.table.precision} | ({"families": families} if families else {})


def _check_network(lora: LoraFile, model: Facts) -> None:
    path, family, width = lora.table.path, model.get("family"), model.get("text_width")
    if family == MODULAR:
        _check_pipeline(lora, model)
        return
    modules = lora.layers.get(DENOISER)
    if modules and not lora.families and isinstance(family, str):
        raise InputError(
            f"the LoRA {path} changes {some(modules, 'modules')}, which no network has that is "
            f"known here ({', '.join(sorted(FAMILIES))}), and this model is of {family}; choose "
            "a LoRA of the model's family"
        )
    if lora.families and isinstance(family, str) and family not in lora.families:
        families = " or ".join(sorted(lora.families))
        raise InputError(
            f"the LoRA {path} is for models of the family {families}, and this one is of "
            f"{family}; choose a LoRA of the same family"
        )
    inner = model.get("inner_width")
    if lora.inner_width and isinstance(inner, int) and lora.inner_width != inner:
        raise InputError(
            f"the LoRA {path} is for networks that are {lora.inner_width} wide inside, and this "
            f"model's is {inner} wide; choose a LoRA of the model's family and size"
        )
    if lora.text_width and isinstance(width, int) and lora.text_width != width:
        raise InputError(
            f"the LoRA {path} is for networks that take text of width {lora.text_width}, and this "
            f"model's takes {width}; choose a LoRA of the model's family"
        )


def _check_no_text(lora: LoraFile) -> None:
    parts = sorted(part for part in TEXT_ENCODERS if lora.layers.get(part))
    if not parts:
        return
    out = "choose another"
    if lora.layers.get(DENOISER):
        out = "use load_lora_model, which lays it over the network alone"
    raise InputError(
        f"the LoRA {lora.table.path} changes text encoders ({', '.join(parts)}), and of a model "
        f"that runs by diffusers' pipeline only the network can be changed; {out}"
    )


def _check_two(model: Facts, noise: str) -> None:
    family, folder = model.get("family"), model.get("folder")
    if family is None or (family == MODULAR and not isinstance(folder, str)):
        return
    parts = components(Path(str(folder))) if family == MODULAR else []
    if len(denoising(part.name for part in parts)) < 2:
        raise InputError(
            f"this model has one network for all noise, so there is none for {noise} noise alone; "
            "set noise to all"
        )


def _check_pipeline(lora: LoraFile, model: Facts) -> None:
    """For a model that runs by diffusers' own pipeline: names that are diffusers' must be there.

    Others are known to diffusers alone, so that loading will tell.
    """
    modules, folder = lora.layers.get(DENOISER), model.get("folder")
    if not modules or not isinstance(folder, str):
        return
    named = any(name.startswith("transformer.") for name in lora.table.entries)
    if not named and not lora.families & OF_UNETS:
        return
    own = network_modules(Path(folder))
    if own and not own & set(modules):
        raise InputError(
            f"the LoRA {lora.table.path} changes {some(modules, 'modules')}, and the network of "
            f"{folder} has none of them; choose a LoRA of the model's family"
        )
