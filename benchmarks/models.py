"""What a full-size Stable Diffusion 1.5 costs on this machine: `make bench`, or name some parts.

Random weights, 256 pixels, 8 steps of Euler's method with guidance. The first run writes a file of
2.1 GB to the user's cache.
"""

from __future__ import annotations

import full_size
import model_measures
from report import Parts, reader, run_parts

PARTS: Parts = {
    "loading": model_measures.loading,
    "step": model_measures.step,
    "pictures": model_measures.pictures,
    "compiled": model_measures.compiled,
    "blocks": model_measures.compiled_blocks,
    "batch": model_measures.batch,
    "cancel": model_measures.cancel,
    "cold": model_measures.cold,
}


def main() -> None:
    options = reader(PARTS, __doc__ or "")
    wanted = options.parse_args().parts
    full_size.checkpoint()
    run_parts(options, wanted, PARTS)


if __name__ == "__main__":
    main()
