"""
Speed and size, as ratios beside the bare parts: ``make bench``, or ``python -m bench`` with the name of one bench.

Both sides of a ratio are timed in turn in the same run, and the median of the rounds is printed: a machine that others
use too changes its speed from one second to the next, and a single figure would say more about it than about memp.
"""

from __future__ import annotations

import os
import runpy
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read once, when numpy is imported

BENCHES = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))


def main() -> None:
    """Run the benches that are named, or all."""
    chosen = sys.argv[1:] or BENCHES
    for name in chosen:
        if name not in BENCHES:
            sys.exit(f"There is no bench {name!r}: it must be one of {', '.join(BENCHES)}.")
    for name in chosen:
        print(f"== {name}", flush=True)
        sys.argv = [name]
        runpy.run_module(f"bench.{name}", run_name="__main__")


if __name__ == "__main__":
    main()
