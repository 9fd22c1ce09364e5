"""Arguments and options that several commands share, and how they open a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from memp.config import BY_NAME, SettingsFile, find_settings

if TYPE_CHECKING:
    from memp import Memory, View
    from memp.embedding import Embedder
    from memp.llm.base import Model

ONE_QUESTION: Final = "exact"
"""How commands search: the answer is there before the graphs for a faster one could even be loaded."""

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

store: Decorator = click.argument("store", metavar="STORE", type=click.Path(dir_okay=False))
"""The store, a DuckDB file."""

as_json: Decorator = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
"""Machine-readable output."""


def setting(name: str, help: str, *, flag: str | None = None, before: bool = False) -> Decorator:
    """
    Return the option of a setting: a flag, else a variable of the environment, else a file, else its default.

    Args:
        name: The setting.

        help: What the help says.

        flag: How it is called, if not by its name; a second word is what the command takes it by.

        before: Whether it stands before the command; it is then read by ``for_every_command``, so that a file with a
            mistake in it leaves the help readable.
    """
    told = BY_NAME[name]
    if told.default not in (None, "", True):
        help = f"{help}  [default: {told.default}]"
    otherwise = None if before else lambda: _otherwise(name)
    return click.option(*(flag or told.flag).split(), envvar=list(told.environment), default=otherwise, help=help)


def _otherwise(name: str) -> str | bool | None:
    """Return what a setting is that neither a flag nor the environment sets."""
    found, default = settings_file(), BY_NAME[name].default
    return default if found is None else found.values.get(name, default)


def settings_file() -> SettingsFile | None:
    """
    Return the settings of the file nearest to the current folder, which is read once a command; None if there is none.

    Raises:
        InvalidInputError: It is no TOML, or holds what is no setting.
    """
    remembered = click.get_current_context().find_root().meta
    if _FILE not in remembered:
        remembered[_FILE] = find_settings(Path.cwd())
    found: SettingsFile | None = remembered[_FILE]
    return found


_FILE = "memp.settings_file"

actor: Decorator = setting("actor", "Who writes; kept for ever, so name a role.")
"""Who writes."""

model: Decorator = setting("model", "The language model, as its endpoint calls it.")
"""The language model."""

base_url: Decorator = setting("base_url", "Where models are asked; OpenAI's own endpoint if nothing says.")
"""Where models are asked."""

mode: Decorator = setting("mode", "How answers are held to a form: tools, json, json-schema or markdown.")
"""How a model's answers are held to a form; None finds out."""


def asks(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which model is asked, and how; ``model_of`` makes one of it."""
    for add in (
        click.option("--price-out", type=float, default=None, help="What a million tokens of answers cost."),
        click.option("--price-in", type=float, default=None, help="What a million tokens of questions cost."),
        click.option("--cached", is_flag=True, help="Answer questions that are on record from there."),
        mode,
        base_url,
        model,
    ):
        command = add(command)
    return command


def model_of(
    name: str | None, base_url: str | None, mode: str | None, price_in: float | None, price_out: float | None
) -> Model | None:
    """
    Return the model that the options of ``asks`` name; None if they name none.

    Raises:
        InvalidInputError: There is no such mode, or a price is below 0.
    """
    from memp.llm.base import Model

    if not name:
        return None
    return Model(
        name,
        base_url=base_url or None,
        mode=mode or None,  # type: ignore[arg-type]
        price_in=price_in,
        price_out=price_out,
    )


def check_model(model: Model | None, build: str) -> None:
    """
    Refuse where procedures are to be built by a model that cannot be asked.

    Raises:
        InvalidInputError: There is no model, its packages are missing, or its key is none that a header can hold.

        ModelKeyError: There is no key for it.
    """
    from memp.errors import InvalidInputError
    from memp.llm.base import NO_MODEL
    from memp.llm.client import Client

    if model is not None and build in ("distil", "both"):
        Client(model).close()
    elif build == "distil":
        raise InvalidInputError(NO_MODEL)


reason: Decorator = click.option("--reason", required=True, help="One sentence for people.")
"""Why; required where something is taken away."""


at: Decorator = click.option(
    "--at", metavar="VIEW", default=None, help="The memory as it was: a tag, branch, position, event id or time."
)
"""The version that is read, or meant."""

branch: Decorator = click.option("--branch", metavar="NAME", default="main", show_default=True, help="The branch.")
"""The branch that is read or written."""


def view(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add what says which version a reading command reads."""
    return at(branch(command))


def for_every_command(name: str) -> Any:
    """Return a setting that is given before the command, as in ``memp --scope team/agent …``."""
    context = click.get_current_context(silent=True)
    if context is None:
        return BY_NAME[name].default
    given = context.find_root().params.get(name)
    return _otherwise(name) if given is None else given


def scope() -> str:
    """Return whose memory the command line is about; empty for everybody's."""
    return str(for_every_command("scope"))


def embedder() -> Embedder | None:
    """
    Return what compares texts; None for what the store was filled with.

    Raises:
        InvalidInputError: There is no such embedder.
    """
    from memp.embedding.named import embedder_named

    name = embedder_name()
    return None if name is None else embedder_named(name, base_url=_base_url())


def embedder_name() -> str | None:
    """Return the short name of what compares texts; None if nothing says."""
    found = for_every_command("embedder")
    return None if found is None else str(found)


def _base_url() -> str | None:
    """Return where models are asked: as this command was told, or by the settings."""
    context = click.get_current_context(silent=True)
    if context is None:
        return None
    if "base_url" in context.params:
        given = context.params["base_url"]
    else:
        variables = BY_NAME["base_url"].environment
        given = next((os.environ[name] for name in variables if os.environ.get(name)), _otherwise("base_url"))
    return None if given is None else str(given)


def _settings(*, as_filled: bool = False) -> dict[str, Any]:
    """Return the settings of every command that opening a store takes."""
    return {"embedder": None if as_filled else embedder(), "mask": bool(for_every_command("mask"))}


@contextmanager
def open_for_reading(path: str, *, at: str | None = None, branch: str = "main") -> Iterator[View]:
    """
    Open the store at *path*, without ever making or changing one, and yield the version that is meant.

    Args:
        path: The store.

        at: The version, as ``Memory.at`` takes it; None means the end of the branch.

        branch: The branch.

    Raises:
        StoreNotFoundError: There is none.

        NotFoundError: There is no such version or branch.
    """
    with open_for_planning(path, branch=branch) as memory:
        yield memory if at is None else memory.at(at)


@contextmanager
def open_for_planning(path: str, *, branch: str = "main") -> Iterator[Memory]:
    """
    Open the store at *path*, without ever making or changing one, and yield the memory of the branch.

    Raises:
        StoreNotFoundError: There is none.

        NotFoundError: There is no such branch.
    """
    import memp

    with memp.open(path, scope=scope(), read_only=True, index=ONE_QUESTION, **_settings()) as memory:
        yield memory.branch(branch)


@contextmanager
def open_for_writing(
    path: str,
    *,
    actor: str,
    create: bool = False,
    branch: str = "main",
    model: Model | None = None,
    as_filled: bool = False,
) -> Iterator[Memory]:
    """
    Open the store at *path* for changes and yield the memory of the branch.

    Args:
        path: The store.

        actor: Who writes.

        create: Make the store if it is not there; it then has one branch.

        branch: The branch.

        model: The language model that may be asked; None for none.

        as_filled: Leave aside which embedder the settings name: it is about to be changed.

    Raises:
        StoreNotFoundError: There is none, and it is not to be made.

        NotFoundError: There is no such branch.
    """
    import memp

    if not Path(path).exists() and not (create and branch == "main"):
        raise memp.StoreNotFoundError(os.fspath(path))
    settings = _settings(as_filled=as_filled)
    with memp.open(path, actor=actor, scope=scope(), index=ONE_QUESTION, model=model, **settings) as memory:
        yield memory.branch(branch)
