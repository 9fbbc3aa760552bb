"""Model files: what nodes can load, by kind, with what the editor shows of them."""

from __future__ import annotations

from pydantic import BaseModel

from nodeflow.keys import FileDigests
from nodeflow.model_catalog import model_catalog
from nodeflow.registry import Registry
from nodeflow.roots import Roots


class ModelFile(BaseModel):
    """A file, or a folder that counts as one.

    Attributes:
        name: What a workflow calls it by.
        size: In bytes; of a folder all that is in it.
        modified: Seconds since 1970.
        family: The kind of model that it belongs to; empty if no pack knows.
        title: What people call a model, `Stable Diffusion 2, v-prediction`; empty if no pack says.
        precision: In which most of its weights are stored: `fp16`, `bf16`, ...; empty if unknown.
        problem: Why it cannot be loaded; empty if it can, or if nobody knows.
        digest: Of its content (blake3); empty where it is not needed to tell files apart.
        same_as: Names of the files with the same content; that of a file of another kind has its
            kind before it, as in `diffusion_models/flux.safetensors`.
    """

    name: str
    size: int
    modified: float
    family: str = ""
    title: str = ""
    precision: str = ""
    problem: str = ""
    digest: str = ""
    same_as: list[str] = []


class ModelKind(BaseModel):
    """All files of one kind.

    Attributes:
        put: Folder into which more of them can be put.
    """

    files: list[ModelFile]
    put: str


class Models(BaseModel):
    """Files by kind: checkpoints, loras, inputs ..."""

    kinds: dict[str, ModelKind]


def model_files(registry: Registry, roots: Roots, kinds: list[str], digests: FileDigests) -> Models:
    """The files of some kinds; looks at the head of each of them on the disk.

    Args:
        digests: See `model_catalog`.
    """
    found = Models(
        kinds={kind: ModelKind(files=[], put=str(roots.folders[kind][0])) for kind in kinds}
    )
    for entry in model_catalog(registry, roots, kinds, digests):
        found.kinds[entry.kind].files.append(
            ModelFile(
                name=entry.name,
                size=entry.size,
                modified=entry.modified,
                family=entry.family,
                title=entry.title,
                precision=entry.precision,
                problem=entry.problem,
                digest=entry.digest,
                same_as=list(entry.same_as),
            )
        )
    return found
