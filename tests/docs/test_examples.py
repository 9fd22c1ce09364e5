"""
What the documentation shows works: every ``python`` and ``console`` block is run.

The blocks of one page run in order in one namespace and one empty folder, with ``examples/`` beside them, as a reader
would type them. In a ``console`` block a line after ``$ `` is a command, which must succeed; what stands below it, if
anything, is what it prints (``...`` for anything, white space does not count). Python blocks may use ``>>>``. Other
blocks (``sh``, ``text``, ``json``) are for reading only.

Sybil finds the blocks: it is made for this, keeps line numbers in tracebacks, and knows how to skip a block
(``<!--- skip: next "reason" -->``). Its own pytest integration is not used, because that makes an item of every block,
and a block that depends on the one before it is no test of its own.
"""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

REPOSITORY = Path(__file__).parents[2]
PAGES = sorted(path.relative_to(REPOSITORY) for path in [REPOSITORY / "README.md", *REPOSITORY.glob("docs/**/*.md")])
COMPARED = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE

COMMAND_SECONDS_MAX = 60
"""A command of the documentation takes a second; this only ends one that waits for input that never comes."""


def run_console(example: Example) -> str | None:
    """Run the commands of a ``console`` block; return what is wrong with the first that does not do as shown."""
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "NO_COLOR": "1",
        "COLUMNS": "100",
    }
    commands = re.split(r"^\$ ", str(example.parsed), flags=re.MULTILINE)
    assert not commands[0].strip(), "a console block starts with '$ '"
    for block in commands[1:]:
        command, _, wanted = re.sub(r"\\\n", "", block).partition("\n")
        done = subprocess.run(
            ["bash", "-c", command],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=COMMAND_SECONDS_MAX,
        )
        if done.returncode != 0:
            return f"'{command}' ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        if wanted.strip() and not doctest.OutputChecker().check_output(wanted, done.stdout, COMPARED):
            return f"'{command}' printed\n{done.stdout}\ninstead of\n{wanted}"
    return None


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_the_examples_of_a_page_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every block of the page does what it says, one after the other."""
    shutil.copytree(REPOSITORY / "examples", tmp_path / "examples")
    monkeypatch.chdir(tmp_path)
    parsers = (
        PythonCodeBlockParser(doctest_optionflags=COMPARED),
        CodeBlockParser("console", run_console),
        SkipParser(),
    )
    for example in Document.parse(str(REPOSITORY / page), *parsers).examples():
        example.evaluate()
