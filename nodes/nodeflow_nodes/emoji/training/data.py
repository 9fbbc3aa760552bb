"""Fetch the emoji with npm and draw them: `python -m nodeflow_nodes.emoji.training.data`.

Writes into the work folder `pictures_64.npy` and `pictures_256.npy` (uint8, N x S x S x 3, on
white) and `pictures.json` (style, label and tags of each row).
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import tarfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from nodeflow_nodes.emoji.training.work import work_folder

PACKAGES = {
    "fluent": "@iconify-json/fluent-emoji@1.2.7",
    "noto": "@iconify-json/noto@1.2.9",
    "labels": "emojibase-data@17.0.0",
}
STYLES = ("fluent", "noto")

# emojibase group numbers: people, components (skin tones, hair) and flags are left out.
GROUPS = frozenset({0, 3, 4, 5, 6, 7, 8})
# Of the symbols only religion, punctuation, shapes and the like stay. Traffic and public signs (83,
# 84), arrows (85), the zodiac (87), player buttons (88), gender, maths and currency signs (89, 90,
# 92), keycaps and lettered buttons (94, 95) mostly differ by one glyph on the same square.
SKIPPED_SUBGROUPS = frozenset({83, 84, 85, 87, 88, 89, 90, 92, 94, 95})
# Unicode's labels spell the apostrophe as a right quotation mark.
APOSTROPHE = "\N{RIGHT SINGLE QUOTATION MARK}"
CLOCK = re.compile(rf"o{APOSTROPHE}clock|-thirty$")

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Picture:
    """What is known about one row of the picture arrays."""

    style: str
    label: str
    tags: tuple[str, ...]


def slug(label: str) -> str:
    """The icon name that iconify derives from a Unicode label."""
    plain = label.lower().replace(APOSTROPHE, "").replace("ñ", "n")
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def is_wanted(entry: dict[str, Any]) -> bool:
    """Whether an emojibase entry belongs to the set trained on."""
    return (
        entry.get("group") in GROUPS
        and entry.get("subgroup") not in SKIPPED_SUBGROUPS
        and CLOCK.search(entry["label"]) is None
    )


def icon_svg(icons: dict[str, Any], name: str) -> str | None:
    """One icon of an iconify set as a square SVG document; None where the set has no such icon."""
    alias = icons.get("aliases", {}).get(name)
    icon = icons["icons"].get(alias["parent"] if alias else name)
    if icon is None:
        return None
    width = icon.get("width", icons["width"])
    height = icon.get("height", icons["height"])
    side = max(width, height)
    left = icon.get("left", 0) - (side - width) / 2
    top = icon.get("top", 0) - (side - height) / 2
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{left} {top} {side} {side}">{icon["body"]}</svg>'
    )


def render(svg: str, size: int) -> Image.Image:
    """Draw an SVG document on white, `size` pixels square."""
    # Imported here, as only this step needs it: training from ready pictures and tests do without.
    import resvg_py

    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=size, height=size, background="#ffffff", skip_system_fonts=True
    )
    return Image.open(io.BytesIO(bytes(png))).convert("RGB")


def fetch(package: str, folder: Path) -> Path:
    """The package's tarball, downloaded by npm once."""
    # npm names the tarball of @scope/name@1.0.0 scope-name-1.0.0.tgz.
    tarball = folder / (re.sub(r"[/@]", "-", package.removeprefix("@")) + ".tgz")
    if not tarball.exists():
        subprocess.run(["npm", "pack", "--silent", package], cwd=folder, check=True)
    return tarball


def member_json(tarball: Path, member: str) -> Any:
    """A JSON file out of an npm tarball."""
    with tarfile.open(tarball) as archive:
        handle = archive.extractfile(f"package/{member}")
        if handle is None:
            raise FileNotFoundError(f"{tarball.name} has no {member}; was the package renamed?")
        return json.load(handle)


def _names_by_code(chars: dict[str, str]) -> dict[str, str]:
    return {_plain_code(code): name for code, name in chars.items()}


def _plain_code(code: str) -> str:
    """A code point sequence without the variation selector, which the packages set differently."""
    return "-".join(part for part in code.lower().split("-") if part != "fe0f")


def collect(folder: Path) -> list[tuple[Picture, str]]:
    """Every picture of the set with its SVG document, in emojibase order, Fluent before Noto."""
    tarballs = {key: fetch(package, folder) for key, package in PACKAGES.items()}
    sets = {style: member_json(tarballs[style], "icons.json") for style in STYLES}
    # Fluent's package has an empty table of characters; its names are those of Noto.
    names = _names_by_code(member_json(tarballs["noto"], "chars.json"))
    found: list[tuple[Picture, str]] = []
    for entry in member_json(tarballs["labels"], "en/data.json"):
        if not is_wanted(entry):
            continue
        label = entry["label"].lower().replace(APOSTROPHE, "'")
        candidates = (slug(entry["label"]), names.get(_plain_code(entry["hexcode"]), ""))
        for style in STYLES:
            drawn = (icon_svg(sets[style], name) for name in candidates)
            svg = next((one for one in drawn if one is not None), None)
            if svg is not None:
                found.append((Picture(style, label, tuple(entry.get("tags", ()))), svg))
    return found


def load_pictures(work: Path) -> list[Picture]:
    """The rows written by `main`, in the order of the picture arrays."""
    rows = json.loads((work / "pictures.json").read_text())
    return [Picture(row["style"], row["label"], tuple(row["tags"])) for row in rows]


def load_pixels(work: Path, size: int) -> Pixels:
    """Pixel rows of side 64 or 256, written by `main`."""
    pixels: Pixels = np.load(work / f"pictures_{size}.npy")
    return pixels


def main() -> None:
    work = work_folder("Fetch and render the training pictures.")
    found = collect(work)
    large = [render(svg, 256) for _, svg in found]
    # Averaging 4 x 4 pixels of the large render makes the two sizes a consistent pair.
    small = [image.reduce(4) for image in large]
    np.save(work / "pictures_256.npy", np.stack([np.asarray(image) for image in large]))
    np.save(work / "pictures_64.npy", np.stack([np.asarray(image) for image in small]))
    rows = [asdict(picture) for picture, _ in found]
    (work / "pictures.json").write_text(json.dumps(rows, indent=0))
    counts = {style: sum(p.style == style for p, _ in found) for style in STYLES}
    print(f"{len(found)} pictures in {work}: {counts}")


if __name__ == "__main__":
    main()
