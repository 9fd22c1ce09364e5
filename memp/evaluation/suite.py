"""
Suites: what versions are measured on, and the registry that finds one by its name.

A suite is a value: the tasks, how to make the world that they are set in, and a digest that says which results may be
compared. Its maker declares its options, so that the command line can offer and explain them without knowing any
suite. A class to inherit from was not taken: a suite has no behaviour of its own, and one that had would have to be
taken along to every worker process.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

from memp.errors import ConflictError, InvalidInputError
from memp.evaluation.agent import STEPS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from memp.evaluation.environment import Environment, Task

SHIPPED = {
    "household": "memp.evaluation.household.suite:MAKER",
    "alfworld": "memp.evaluation.alfworld.suite:MAKER",
    "scienceworld": "memp.evaluation.scienceworld.suite:MAKER",
    "travelplanner": "memp.evaluation.travelplanner.suite:MAKER",
}
"""Where the makers of the suites that ship are found; a world is loaded when its suite is asked for."""

TASKS_MOST = 1_000_000
"""More tasks than anybody plays; a number with a digit too many would be made until somebody stops it."""

SEED = 7
"""The seed when nobody says otherwise: that of the figures in the documentation."""


TRUE = frozenset({"1", "true", "yes"})
"""What stands for true where an option comes as text."""


@attrs.frozen(kw_only=True)
class Suite:
    """
    Tasks in a world, for agents to live through.

    Attributes:
        name: What the suite is called.

        version: Changes whenever the same actions could be answered differently.

        tasks: The tasks, with different ids; 1 or more.

        make_environment: Makes a world; called once in every worker process, so it must be picklable: a class, a
            function of a module, or an object of one with ``__call__``.

        toolset: Name of the shipped toolset that scripts for this world use; None if there is none.

        max_steps: How many actions an agent may take when nobody says otherwise; a lost task counts them all.

        options: What the suite was made with, by name, as text: ``remake`` makes the same one of it. It is no part
            of the digest, because a folder is called otherwise on another machine; what changes how tasks go must show
            in the version, or in the ids or words of tasks.
    """

    name: str = attrs.field(validator=attrs.validators.min_len(1))
    version: str
    tasks: tuple[Task, ...] = attrs.field(validator=attrs.validators.min_len(1), repr=False)
    make_environment: Callable[[], Environment] = attrs.field(eq=False, repr=False)
    toolset: str | None = None
    max_steps: int = attrs.field(default=STEPS_MAX, validator=attrs.validators.ge(1))
    options: tuple[tuple[str, str], ...] = ()
    agent: str = "follower"
    appendix: Callable[[], str] | None = attrs.field(default=None, eq=False, repr=False)

    def __attrs_post_init__(self) -> None:
        ids = [task.id for task in self.tasks]
        if len(set(ids)) < len(ids):
            twice = next(id for id in ids if ids.count(id) > 1)
            raise InvalidInputError(f"The ids of the tasks of a suite must differ (got {twice!r} more than once).")

    @cached_property
    def digest(self) -> str:
        """Hex SHA-256 of name, version and tasks: results of suites with another one are not compared."""
        tasks = (part for task in self.tasks for part in (task.id, task.text, task.type or ""))
        return digest_of(self.name, self.version, *tasks)


def digest_of(*parts: str) -> str:
    """Return the hex SHA-256 of *parts*, each with its length before it, so that none can pass for two."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


@attrs.frozen(kw_only=True)
class SuiteOption:
    """
    Something that the maker of a suite can be told.

    Attributes:
        name: The keyword of ``memp.suite``; on the command line ``--name``, with ``-`` for ``_``.

        type: ``str``, ``int``, ``float`` or ``bool``; what comes as text is converted.

        help: One sentence.

        default: What it is if nobody says so; None stands for "not given".

        required: Whether it must be given.
    """

    name: str
    type: type = str
    help: str = ""
    default: Any = None
    required: bool = False


@attrs.frozen(kw_only=True)
class SuiteMaker:
    """
    How the suites of one name are made.

    Attributes:
        make: Called with ``seed``, ``n`` and every declared option as keywords; ``n`` is None if nobody said how many
            tasks. It raises InvalidInputError where they are out of range, or something is not installed.

        help: One sentence: what world it is.

        options: What it can be told besides.
    """

    make: Callable[..., Suite]
    help: str = ""
    options: tuple[SuiteOption, ...] = ()


_added: dict[str, SuiteMaker] = {}


def register_suite(name: str, maker: SuiteMaker | Callable[..., Suite]) -> None:
    """
    Give a maker of suites a name, for this process, by which ``memp.suite`` and ``evaluate`` find it.

    Args:
        name: The name.

        maker: The maker, or its function alone if it has no options.

    Raises:
        ConflictError: A suite that ships, or another one, has the name.
    """
    made = maker if isinstance(maker, SuiteMaker) else SuiteMaker(make=maker)
    if name in SHIPPED or _added.get(name, made) != made:
        raise ConflictError(f"There is a suite {name!r} already. Choose another name.")
    if not name.strip():
        raise InvalidInputError(f"A suite must have a name (got {name!r}).")
    _added[name] = made


def suite_names() -> tuple[str, ...]:
    """Return the names of all suites, sorted."""
    return tuple(sorted({**SHIPPED, **_added}))


def maker_named(name: str) -> SuiteMaker:
    """
    Return the maker of the suites called *name*.

    Raises:
        InvalidInputError: There is none.
    """
    if name in _added:
        return _added[name]
    if name not in SHIPPED:
        raise InvalidInputError(
            f"'suite' must be one of {', '.join(suite_names())} (got {name!r}). memp.register_suite adds one."
        )
    module, _, attribute = SHIPPED[name].partition(":")
    found: SuiteMaker = getattr(import_module(module), attribute)
    return found


def suite(name: str, *, seed: int = SEED, n: int | None = None, **options: object) -> Suite:
    """
    Return the suite called *name*.

    Args:
        name: ``household``, or another of the suites that ship or were registered.

        seed: Decides which tasks, where there are more than are asked for.

        n: How many tasks, 1 or more; None leaves it to the suite.

        options: What else this suite can be told; ``memp eval --suite NAME --help`` lists it.

    Raises:
        InvalidInputError: There is no such suite or option, a value is out of range, or the world is not installed.
    """
    maker = maker_named(name)
    if type(seed) is not int:
        raise InvalidInputError(f"'seed' must be a whole number (got {seed!r}).")
    if n is not None and (type(n) is not int or not 1 <= n <= TASKS_MOST):
        raise InvalidInputError(f"'n' must be a whole number from 1 to {TASKS_MOST:,} (got {n!r}).")
    values = _checked(name, maker, options)
    made = maker.make(seed=seed, n=n, **values)
    said = {"seed": seed, "n": n, **values}
    told = tuple((option, str(value)) for option, value in said.items() if value is not None)
    return attrs.evolve(made, options=told)


def remake(name: str, options: Iterable[tuple[str, str]]) -> Suite:
    """
    Return the suite that says of itself that it is called *name* and was made with *options*.

    Raises:
        InvalidInputError: As for ``suite``.
    """
    said = dict(options)
    seed, n = said.pop("seed", None), said.pop("n", None)
    return suite(name, seed=SEED if seed is None else int(seed), n=None if n is None else int(n), **said)


def _checked(name: str, maker: SuiteMaker, options: Mapping[str, object]) -> dict[str, object]:
    """Return every option that *maker* declares, as given or by default, each of its type."""
    declared = {option.name: option for option in maker.options}
    if unknown := sorted(set(options) - set(declared)):
        offered = ", ".join(declared) or "none"
        raise InvalidInputError(f"The suite {name!r} has no option {unknown[0]!r}; it has: {offered}.")
    values: dict[str, object] = {}
    for option in declared.values():
        given = options.get(option.name, option.default)
        if given is None and option.required:
            raise InvalidInputError(f"The suite {name!r} must be told {option.name!r} (it was not). {option.help}")
        values[option.name] = given if given is None else _converted(option, given)
    return values


def _converted(option: SuiteOption, given: object) -> object:
    if isinstance(given, option.type):
        return given
    if option.type is bool:
        return str(given).casefold() in TRUE
    try:
        return option.type(given)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"{option.name!r} must be of type {option.type.__name__} (got {given!r}).") from error
