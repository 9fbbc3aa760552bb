"""What the server costs on this machine, as one table: `make bench`, or name some of the parts."""

from __future__ import annotations

import server_measures
from report import Parts, reader, run_parts

PARTS: Parts = {
    "start": server_measures.start,
    "jobs": server_measures.jobs,
    "wide": server_measures.wide,
    "crowd": server_measures.crowd,
    "large": server_measures.large,
    "killed": server_measures.killed,
}


def main() -> None:
    options = reader(PARTS, __doc__ or "")
    run_parts(options, options.parse_args().parts, PARTS)


if __name__ == "__main__":
    main()
