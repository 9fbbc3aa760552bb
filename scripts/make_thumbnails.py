"""Make thumbnails: run every template that the embedded model can, and write NAME.webp beside it.

`make thumbnails` does it; look at the pictures before they are committed. Everything else that is
made goes to a temporary folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

from nodeflow.engine import Engine
from nodeflow.settings import Settings

TEMPLATES = Path(__file__).parents[1] / "workflows"
SIZE = 320
"""Of the longer side, in pixels; editors show them smaller."""

SMALLEST = 256
"""What is drawn smaller is enlarged."""

PICTURE = "picture.png"
PAINTED = "painted.png"
INPUTS: Mapping[str, Mapping[str, Any]] = {
    "text_to_image": {"prompt": "a red apple", "seed": 0},
    "image_to_image": {"image": PICTURE},
    "upscale": {"image": PICTURE},
    "inpaint": {"image": PAINTED, "prompt": "a smiling face"},
    "prompt_grid": {"prompts": "a red apple\na smiling face\na blue heart", "seeds": 3},
}
"""Those for which the defaults of a template are not its best, or not there."""

COMPARED = ("upscale",)
"""The left half is what went in: otherwise one would not see what these do."""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        inputs = home / "data" / "inputs"
        inputs.mkdir(parents=True)
        settings = Settings(cache=home / "cache", data=home / "data", packs=(), models=())
        with Engine(settings) as engine:
            drawn = run(engine, "text_to_image", home)
            # As small as the model draws it, so that there is something to enlarge.
            drawn.resize((64, 64), Image.Resampling.BOX).save(inputs / PICTURE)
            painted(drawn).save(inputs / PAINTED)
            for path in sorted(TEMPLATES.glob("*.json")):
                if engine.check(engine.load(path)) and path.stem not in INPUTS:
                    print(f"{path.name}: skipped, since it needs a model that is not here")
                    continue
                picture = run(engine, path.stem, home)
                if path.stem in COMPARED:
                    picture = compared(Image.open(inputs / PICTURE), picture)
                if max(picture.size) < SMALLEST:
                    picture = picture.resize((SMALLEST, SMALLEST), Image.Resampling.LANCZOS)
                picture.thumbnail((SIZE, SIZE), Image.Resampling.LANCZOS)
                target = path.with_suffix(".webp")
                picture.save(target, "WEBP", quality=82, method=6)
                print(f"{target.name}: {picture.width} x {picture.height}")


def painted(picture: Image.Image) -> Image.Image:
    """The picture with its middle painted over, as the editor keeps a mask: in alpha."""
    mask = Image.new("L", picture.size, 0)
    width, height = picture.size
    mask.paste(255, (width // 4, 3 * height // 8, 3 * width // 4, 7 * height // 8))
    result = picture.convert("RGB")
    result.putalpha(mask)
    return result


def run(engine: Engine, name: str, home: Path) -> Image.Image:
    """The picture that a template makes."""
    flow = engine.with_inputs(engine.load(TEMPLATES / f"{name}.json"), INPUTS.get(name, {}))
    result = engine.run(flow, out=home / "outputs" / name)
    if result.status != "done":
        raise SystemExit(f"The template '{name}' does not run: {result.errors}")
    (file,) = result.outputs["image"]["files"]
    return Image.open(file).convert("RGB")


def compared(before: Image.Image, after: Image.Image) -> Image.Image:
    """One picture: on the left what went in, pixel for pixel, on the right what came out."""
    both = after.copy()
    half = after.width // 2
    large = before.convert("RGB").resize(after.size, Image.Resampling.NEAREST)
    both.paste(large.crop((0, 0, half, after.height)), (0, 0))
    both.paste((255, 255, 255), (half - 1, 0, half + 1, after.height))
    return both


if __name__ == "__main__":
    main()
