"""
Check an installation of memp from outside the checkout: ``python -I installed.py CHECKOUT [--not-from-checkout]``.

Not a pytest test: building and installing takes half a minute, and what must be shown is that memp works where neither
the checkout nor pytest is in reach.
"""

import importlib.metadata
import importlib.resources
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import memp

DATA_FOLDERS = ("procedures", "templates", "migrations")
SUFFIXES = {".py", ".json", ".md", ".j2", ".sql"}


def list_files(folder) -> set[str]:
    """Return the data files below *folder*, as paths relative to it; any place of ``importlib.resources`` will do."""
    found = set()
    for entry in folder.iterdir():
        if entry.is_dir() and entry.name != "__pycache__":
            found |= {f"{entry.name}/{name}" for name in list_files(entry)}
        elif entry.is_file() and Path(entry.name).suffix in SUFFIXES:
            found.add(entry.name)
    return found


def check_files(checkout: Path, *, not_from_checkout: bool) -> None:
    """Everything that lies in the data folders is found, and the package says that it is typed."""
    home = Path(memp.__file__).parent
    assert not_from_checkout != home.is_relative_to(checkout), f"memp was imported from {home}"
    for name in DATA_FOLDERS:
        installed = list_files(importlib.resources.files(f"memp.{name}"))
        there = list_files(checkout / name)
        assert installed == there, f"{name}: missing {there - installed}, too many {installed - there}"
        assert installed - {"__init__.py"}, f"{name} is empty"
    assert (home / "py.typed").is_file()
    assert "The memp authors" in importlib.metadata.metadata("memp")["Author"]


def check_commands(checkout: Path) -> None:
    """The command starts, learns from the examples and answers; a mistake is told by the exit code."""
    memp_command = str(Path(sys.executable).parent / "memp")
    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "smoke.duckdb")

        def run(*arguments: str) -> str:
            done = subprocess.run([memp_command, *arguments], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{arguments} ended with {done.returncode}: {done.stderr}"
            return done.stdout

        assert "learn" in run("--help")
        run("learn", store, *(str(checkout / "examples" / f"{name}.jsonl") for name in ("runs", "chat", "react")))
        assert "stove" in run("ask", store, "warm some soup and put it on the tray", "-k", "1")
        assert "procedure-added" in run("log", store)
        assert "scripts, not models" in run("demo", "--tasks", "12", "--store", os.path.join(folder, "demo.duckdb"))
        missing = subprocess.run([memp_command, "ask", store + ".none", "anything"], capture_output=True, check=False)
        assert missing.returncode not in {0, 1}, "a store that is not there must have the exit code of its group"


if __name__ == "__main__":
    root = Path(sys.argv[1]).resolve()
    check_files(root, not_from_checkout="--not-from-checkout" in sys.argv)
    check_commands(root)
    print(f"memp {importlib.metadata.version('memp')} at {Path(memp.__file__).parent} works.")
