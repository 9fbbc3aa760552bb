"""What the editor costs in a browser on this machine, as one table; or name some of the parts."""

from __future__ import annotations

import editor_measures
from browsing import SITE
from report import Parts, reader, run_parts

PARTS: Parts = {
    "first_view": editor_measures.first_view,
    "load": editor_measures.load,
    "frames": editor_measures.frames,
    "progress": editor_measures.progress,
    "running": editor_measures.running,
}


def main() -> None:
    options = reader(PARTS, __doc__ or "")
    wanted = options.parse_args().parts
    if not (SITE / "index.html").is_file():
        options.error("the editor is not built; run 'make web' first")
    run_parts(options, wanted, PARTS)


if __name__ == "__main__":
    main()
