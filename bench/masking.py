"""
What masking costs beside learning, and what it touches in real runs.

Run it with ``python -m bench masking``. With the folder of real runs beside the checkout it takes those, and counts the
texts that masking changes in every file; without it, invented runs. Learning is ``verbatim`` into a file, which is the
cheapest way of learning there is, so the ratio is the worst there is.
"""

from __future__ import annotations

import gzip
import json
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import memp
from bench.induce import invented_run
from memp.masking import mask, mask_run

DATA = Path(__file__).parents[2] / "shared" / "data"
ROUNDS = 5


def texts_in(value: Any) -> Iterator[str]:
    """Yield every text in *value*, names of fields too."""
    match value:
        case str():
            yield value
        case dict():
            for name, one in value.items():
                yield from (name, *texts_in(one))
        case list():
            for one in value:
                yield from texts_in(one)


def touched() -> None:
    """Print how many texts of each file masking changes, and into what."""
    for path in sorted(DATA.glob("*/*.jsonl.gz")):
        count, changed, into = 0, 0, Counter[str]()
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                for text in texts_in(json.loads(line)):
                    masked = mask(text)
                    count, changed = count + 1, changed + (masked != text)
                    into.update(part.partition("]")[0] for part in masked.split("[masked ")[1:])
        print(f"{path.relative_to(DATA)}: {changed} of {count:,} texts {dict(into) if changed else ''}")


def main() -> None:
    """Print the ratio of masking to learning, and what is touched."""
    files = sorted(DATA.glob("*_runs/*.jsonl.gz"))
    runs = [run for file in files for run in memp.read_trajectories(file)] or [invented_run(n) for n in range(1_000)]
    pairs = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for run in runs:
            mask_run(run)
        masked = time.process_time()
        with tempfile.TemporaryDirectory() as folder, memp.open(Path(folder) / "bench.duckdb", mask=False) as memory:
            memory.learn(runs)
        pairs.append((masked - start, time.process_time() - masked))
    each = statistics.median(mine for mine, _ in pairs) / len(runs)
    ratio = statistics.median(mine / other for mine, other in pairs)
    print(f"{len(runs):,} runs: masking {each * 1e6:.0f} µs a run, {ratio:.3f} of learning them")
    touched()


if __name__ == "__main__":
    main()
