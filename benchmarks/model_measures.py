"""Times and memory of a full-size model; each function runs in a new process."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import full_size
from measures import MB, Row, folder, taken

from nodeflow import Engine, Workflow
from nodeflow.events import Event, NodeFinished
from nodeflow.settings import Settings

SIDE, STEPS, GUIDANCE = 256, 8, 7.0
GB = 1 << 30


def drawing(prompt: str = "a red apple", seed: int = 0, batch: int = 1) -> Workflow:
    """Text to image with the full-size model."""

    def link(node: str, output: str) -> dict[str, str]:
        return {"node": node, "output": output}

    def text(words: str) -> dict[str, Any]:
        inputs = {"encoder": link("load", "text_encoder"), "text": words}
        return {"type": "diffusion.encode_text", "inputs": inputs}

    size = {"width": SIDE, "height": SIDE, "batch": batch}
    sampled = {
        "model": link("load", "model"),
        "positive": link("prompt", "conditioning"),
        "negative": link("negative", "conditioning"),
        "latent": link("empty", "latent"),
    }
    how = {"seed": seed, "steps": STEPS, "guidance": GUIDANCE, "method": "euler"}
    decoded = {"vae": link("load", "vae"), "latent": link("sample", "latent")}
    nodes = {
        "load": {"type": "diffusion.load_model", "inputs": {"file": full_size.NAME}},
        "prompt": text(prompt),
        "negative": text(""),
        "empty": {
            "type": "diffusion.empty_latent",
            "inputs": {"model": link("load", "model"), **size},
        },
        "sample": {"type": "diffusion.sample", "inputs": {**sampled, **how}},
        "decode": {"type": "diffusion.decode", "inputs": decoded},
        "save": {"type": "image.save", "inputs": {"image": link("decode", "image")}},
    }
    return Workflow.from_data({"nodeflow": 1, "nodes": nodes})


def settings(place: Path) -> Settings:
    models = full_size.checkpoint().parents[1]
    return Settings(cache=place / "cache", data=place / "data", packs=(), models=(models,))


@contextmanager
def engine(place: Path, **more: Any) -> Iterator[Engine]:
    with Engine(settings(place), **more) as found:
        yield found


def read_into_page_cache(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(64 * MB):
            pass


def device() -> Any:
    """The device and precision that a run chooses by itself."""
    from nodeflow.devices import find_device

    return find_device("auto", "auto", None).device


def loading(specs: Path) -> list[Row]:
    """All three parts of the file, which the page cache holds; the imports are not counted."""
    from nodeflow_nodes.diffusion import parts
    from nodeflow_nodes.diffusion.load import load_model

    from nodeflow import ModelMemory

    file = full_size.checkpoint()
    read_into_page_cache(file)
    recipes, chosen = load_model(file), device()

    def load() -> None:
        models = ModelMemory()
        parts.denoiser(recipes.model, models, chosen)
        parts.text_model(recipes.text_encoder, models, chosen)
        parts.autoencoder(recipes.vae, models, chosen)

    times = [taken(load) for _ in range(3)]
    what = f"loading {file.stat().st_size / GB:.1f} GiB in {chosen.precision.value}, best of three"
    return [min(times).row(what, 2.0)]


def step(specs: Path) -> list[Row]:
    """Our estimate for both prompts, and diffusers' network alone, in turn."""
    import torch
    from diffusers import UNet2DConditionModel
    from nodeflow_nodes.diffusion import parts
    from nodeflow_nodes.diffusion.families.family import PromptBatch
    from nodeflow_nodes.diffusion.load import load_model

    from nodeflow import ModelMemory

    chosen = device()
    models = ModelMemory(16 * GB)
    network: Any = parts.denoiser(load_model(full_size.checkpoint()).model, models, chosen)
    with torch.device("meta"):
        plain = UNet2DConditionModel(cross_attention_dim=768, sample_size=64)
    plain.load_state_dict(network.network.state_dict(), assign=True)
    plain.requires_grad_(False).eval()
    x = torch.randn(2, 4, SIDE // 8, SIDE // 8)
    hidden = torch.randn(2, 77, 768)

    def ours() -> None:
        network.estimate(x, 3.0, PromptBatch(hidden))

    @torch.no_grad()
    def theirs() -> None:
        dtype = plain.dtype
        plain(x.to(dtype), torch.tensor(500), encoder_hidden_states=hidden.to(dtype))

    mine, reference = in_turn(ours, theirs)
    ratio = mine / reference
    return [
        Row(f"a step, {chosen.precision.value}", "<= 0.66 s", f"{mine:.3f} s", mine <= 0.66),
        Row(
            "... to plain diffusers in the same precision",
            "<= 1.05 x",
            f"{ratio:.3f} x ({reference:.3f} s)",
            ratio <= 1.05,
        ),
    ]


def in_turn(ours: Callable[[], None], theirs: Callable[[], None]) -> tuple[float, float]:
    """Medians of eight calls of each, after two to warm up."""
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(10):
        for call, found in zip((ours, theirs), times, strict=True):
            spent = taken(call).wall
            if turn >= 2:
                found.append(spent)
    return statistics.median(times[0]), statistics.median(times[1])


def pictures(specs: Path) -> list[Row]:
    """Whole pictures with everything loaded: a new seed, a new prompt."""
    with folder(specs) as place, engine(place) as found:

        def run(**what: Any) -> float:
            flow = drawing(**what)
            return taken(lambda: found.run(flow, out=place / "out").raise_if_failed()).wall

        run()
        seeds = [run(seed=seed) for seed in (1, 2, 3)]
        prompts = [run(prompt=f"a {what}") for what in ("star", "tree", "fish")]
    return [
        timed("a picture, warm, with a new seed", min(seeds), 6.2),
        timed("a picture, warm, with a new prompt", min(prompts), 6.4),
    ]


def compiled(specs: Path) -> list[Row]:
    """The same with a compiled network. What torch compiles is kept beside the model, so that only
    the first measurement on a machine waits for it."""
    with folder(specs) as place, compiling(place, True) as found:
        first, wall, step = first_and_next(found, place)
    return [
        Row("compiled: a step", "<= 0.42 s", f"{step:.3f} s", step <= 0.42),
        timed("... a picture, warm, with a new seed", wall, 4.5),
        Row("... the first picture of a process", "", f"{first:.0f} s"),
    ]


def compiled_blocks(specs: Path) -> list[Row]:
    """The same with only the blocks compiled that the network repeats, and how soon a run ends that
    is cancelled then."""
    with folder(specs) as place, compiling(place, "blocks") as found:
        first, _, step = first_and_next(found, place)
        cancelled = waits(found, place)
    return [
        Row("compiled blocks: a step", "<= 0.70 s", f"{step:.3f} s", step <= 0.70),
        Row("... the first picture of a process", "", f"{first:.0f} s"),
        at_once("... cancelled in the middle of a step", cancelled),
    ]


@contextmanager
def compiling(place: Path, how: bool | str) -> Iterator[Engine]:
    """An engine that compiles."""
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(full_size.checkpoint().parents[2] / "compiled")
    with Engine(settings(place).model_copy(update={"compile": how})) as found:
        yield found


def first_and_next(found: Engine, place: Path) -> tuple[float, float, float]:
    """Seconds of the first picture, of a later one, and of one of its steps."""
    seconds: dict[str, float] = {}

    def notice(event: Event) -> None:
        if isinstance(event, NodeFinished) and event.node == "sample":
            seconds["sample"] = event.seconds

    def run(seed: int) -> float:
        flow = drawing(seed=seed)
        call = partial(found.run, flow, out=place / "out", emit=notice)
        return taken(lambda: call().raise_if_failed()).wall

    first = run(0)
    walls, steps = zip(*((run(seed), seconds["sample"]) for seed in (1, 2, 3)), strict=True)
    return first, min(walls), min(steps) / STEPS


def batch(specs: Path) -> list[Row]:
    """Four pictures at once, and one after the other."""
    with folder(specs) as place, engine(place) as found:

        def run(seed: int, count: int) -> float:
            flow = drawing(seed=seed, batch=count)
            return taken(lambda: found.run(flow, out=place / "out").raise_if_failed()).wall

        run(0, 1)
        together = min(run(1, 4), run(2, 4))
        apart = 4 * min(run(seed, 1) for seed in range(3, 8))
    ratio = together / apart
    said = f"{ratio:.2f} x ({together:.1f} s, {apart:.1f} s apart)"
    return [Row("4 pictures as one batch, to 4 runs", "<= 0.85 x", said, ratio <= 0.85)]


def cancel(specs: Path) -> list[Row]:
    """How long a run still takes once it is cancelled in the middle of a step."""
    with folder(specs) as place, engine(place) as found:
        found.run(drawing(), out=place / "out").raise_if_failed()
        cancelled = waits(found, place)
    return [at_once("cancelled in the middle of a step, until the run has ended", cancelled)]


def waits(found: Engine, place: Path) -> list[float]:
    """Seconds from asking until a run had ended, of several; all is loaded."""
    spent = []
    for seed in range(11, 18):
        stop, asked = threading.Event(), [0.0]

        def ask(stop: threading.Event = stop, asked: list[float] = asked) -> None:
            asked[0] = time.perf_counter()
            stop.set()

        # Steps take about 0.7 s, so this falls into the middle of one or another.
        timer = threading.Timer(1.0 + 0.13 * (seed - 10), ask)
        timer.start()
        result = found.run(drawing(seed=seed), out=place / "out", cancel=stop)
        spent.append(time.perf_counter() - asked[0])
        if result.status != "cancelled":
            raise RuntimeError(f"the run was {result.status} before it was cancelled")
    return spent


def at_once(what: str, spent: list[float]) -> Row:
    worst = max(spent) * 1000
    said = f"{worst:.0f} ms at worst, {statistics.median(spent) * 1000:.0f} ms median"
    return Row(what, "<= 50 ms", said, worst <= 50)


def cold(specs: Path) -> list[Row]:
    """A new process that draws a picture; what packs declare is known, as after any first run."""
    read_into_page_cache(full_size.checkpoint())
    with folder(specs) as place:
        flow = place / "flow.json"
        drawing().save(flow)
        own = settings(place)
        environment = {n: v for n, v in os.environ.items() if not n.startswith("NODEFLOW_")} | {
            "NODEFLOW_CACHE": str(own.cache),
            "NODEFLOW_DATA": str(own.data),
            "NODEFLOW_PACKS": str(place / "packs"),
            "NODEFLOW_MODELS": str(own.models[0]),
        }
        command = ["-m", "nodeflow.cli", "run", str(flow), "--out", str(place / "out"), "--json"]
        # The device is asked for once and remembered.
        walls, peaks = zip(
            *(process(command, environment, place, n) for n in range(3)), strict=True
        )
        with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as busy:
            crowded, _ = process(command, environment, place, 3)
            busy.kill()
    peak = max(peaks) / GB * 1.073741824  # in GB of ten to the ninth, as the target is
    return [
        timed("a new process to its picture", min(walls), 14.0),
        Row("... peak RSS", "<= 3.6 GB", f"{peak:.2f} GB", peak <= 3.6),
        Row(
            "... beside a busy program, to alone",
            "<= 2 x",
            f"{crowded / min(walls):.2f} x",
            crowded <= 2 * min(walls),
        ),
    ]


def process(
    command: list[str], environment: dict[str, str], place: Path, turn: int
) -> tuple[float, int]:
    """Seconds and peak RSS in bytes of a command that computes all of it again."""
    own = environment | {"NODEFLOW_DISK": "0"}
    start = time.perf_counter()
    log = os.open(place / f"log{turn}", os.O_CREAT | os.O_WRONLY)
    actions = [(os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)]
    pid = os.posix_spawn(sys.executable, [sys.executable, *command], own, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    os.close(log)
    if status:
        raise RuntimeError((place / f"log{turn}").read_text()[-2000:])
    spent: resource.struct_rusage = usage
    return time.perf_counter() - start, spent.ru_maxrss * 1024


def timed(what: str, seconds: float, limit: float) -> Row:
    return Row(what, f"<= {limit:g} s", f"{seconds:.2f} s", seconds <= limit)
