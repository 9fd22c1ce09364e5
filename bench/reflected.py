"""
Does a reflection on a failure name what the next, successful attempt at the same task did differently?

Run it with ``python -m bench.reflected FILE [--toolset questions|NAME]`` over a log with several trials a task:
HotpotQA runs of Reflexion (``--toolset questions``), or tau-bench's airline (``--toolset airline``). It prints how
often the policy ``reflection`` and the texts on record in the log came near, beside what chance alone reaches.
"""

from __future__ import annotations

import argparse

from memp.evaluation.reflected import QUESTIONS, find_pairs, reflect_as_written, reflect_by_rule
from memp.reading import read_trajectories
from memp.script.loader import load_toolset
from memp.script.toolset import Toolset


def main() -> None:
    """Measure one log."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", nargs="?")
    parser.add_argument("--toolset", default="questions")
    chosen = parser.parse_args()
    if chosen.file is None:
        print("no log was named: python -m bench.reflected FILE --toolset NAME")
        return
    toolset = Toolset.from_text(QUESTIONS) if chosen.toolset == "questions" else load_toolset(chosen.toolset)
    runs = list(read_trajectories(chosen.file))
    pairs = find_pairs(runs, toolset)
    print(f"{len(runs)} runs, {len(pairs)} tasks failed and then solved")
    steps = sorted(len(pair.difference.added) for pair in pairs)
    print(f"the success has {steps[len(steps) // 2]} steps more that the failure had not (median)")
    written = reflect_as_written(pairs)
    if written.named:
        print(written.told())
    for knows in ("before", "after"):
        found = reflect_by_rule(runs, pairs, toolset, knows=knows)
        print(found.told())
        for remark, count in found.remarks:
            print(f"    {count} times: {remark}")


if __name__ == "__main__":
    main()
