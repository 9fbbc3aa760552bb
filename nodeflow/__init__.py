"""nodeflow: graphs of nodes for image generation. This is the public API, loaded lazily."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nodeflow.devices import Device as Device
    from nodeflow.errors import Cancelled as Cancelled
    from nodeflow.errors import InputError as InputError
    from nodeflow.errors import NodeError as NodeError
    from nodeflow.errors import NodeflowError as NodeflowError
    from nodeflow.errors import PackError as PackError
    from nodeflow.errors import Problem as Problem
    from nodeflow.errors import WorkflowError as WorkflowError
    from nodeflow.models.memory import ModelMemory as ModelMemory
    from nodeflow.outputs import OutputFiles as OutputFiles
    from nodeflow.progress import Progress as Progress
    from nodeflow.sockets import Conditioning as Conditioning
    from nodeflow.sockets import File as File
    from nodeflow.sockets import Image as Image
    from nodeflow.sockets import Latent as Latent
    from nodeflow.sockets import Lazy as Lazy
    from nodeflow.sockets import Mask as Mask
    from nodeflow.sockets import Model as Model
    from nodeflow.sockets import Precision as Precision
    from nodeflow.sockets import Prompt as Prompt
    from nodeflow.sockets import Recipe as Recipe
    from nodeflow.sockets import Seed as Seed
    from nodeflow.sockets import SocketType as SocketType
    from nodeflow.sockets import TextEncoder as TextEncoder
    from nodeflow.sockets import Upscaler as Upscaler
    from nodeflow.sockets import Vae as Vae
    from nodeflow.sockets import Was as Was
    from nodeflow.sockets import Widget as Widget
    from nodeflow.spec import node as node

_HOMES = {
    "nodeflow.devices": ("Device",),
    "nodeflow.errors": (
        "Cancelled",
        "InputError",
        "NodeError",
        "NodeflowError",
        "PackError",
        "Problem",
        "WorkflowError",
    ),
    "nodeflow.models.memory": ("ModelMemory",),
    "nodeflow.outputs": ("OutputFiles",),
    "nodeflow.progress": ("Progress",),
    "nodeflow.sockets": (
        "Conditioning",
        "File",
        "Image",
        "Latent",
        "Lazy",
        "Mask",
        "Model",
        "Precision",
        "Prompt",
        "Recipe",
        "Seed",
        "SocketType",
        "TextEncoder",
        "Upscaler",
        "Vae",
        "Was",
        "Widget",
    ),
    "nodeflow.spec": ("node",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}
__all__ = sorted(_HOME_OF)  # noqa: PLE0605  (a list of str, computed)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'nodeflow' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME_OF[name]), name)
