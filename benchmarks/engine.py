"""What the engine costs on this machine, as one table: `make bench`, or name some of the parts."""

from __future__ import annotations

from functools import partial

import measures
from report import Parts, reader, run_parts


def parts(nodes: int) -> Parts:
    return {
        "chain": partial(measures.chain, nodes=nodes),
        "wide": partial(measures.wide, nodes=nodes),
        "command_line": measures.command_line,
        "overlap": measures.overlap,
        "resident": measures.resident,
        "picture": measures.picture,
    }


def main() -> None:
    options = reader(parts(0), __doc__ or "")
    options.add_argument("--nodes", type=int, default=10_000, help="of the chain and side by side")
    given = options.parse_args()
    run_parts(options, given.parts, parts(given.nodes))


if __name__ == "__main__":
    main()
