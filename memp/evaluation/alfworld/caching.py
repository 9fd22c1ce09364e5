"""
What makes the engine fast: answers that it works out again and again are kept, from outside.

As shipped nearly all of a step is spent parsing the same few grammar strings and copying, to the last leaf, values
that nobody changes, once for every admissible command; nearly all of a reset translates one problem four times. Here
the same functions are called once for each different question. No rule of the world and no wording is touched, so every
answer stays the same to the letter; a test plays both. Changing a copy of the package was not taken: it would have to
follow every release.
"""

from __future__ import annotations

import copy
import functools
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from memp.evaluation.alfworld.package import load_package

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PARSED_MAX = 4096
"""Grammar strings kept as parsed. A game has about a hundred, and all games share most of them."""

TRANSLATED_MAX = 160
"""Games kept as translated, about a megabyte each: more than a split of the benchmark has, so that every arm of an
evaluation finds the games of the one before."""


@contextmanager
def cached() -> Iterator[None]:
    """Let the engine use what is kept, for as long as the block runs; outside of it the package is as shipped."""
    places = _replacements()
    before = [getattr(owner, name) for owner, name, _ in places]
    for owner, name, quicker in places:
        setattr(owner, name, quicker)
    try:
        yield
    finally:
        for (owner, name, _), shipped in zip(places, before, strict=True):
            setattr(owner, name, shipped)


@functools.cache
def _replacements() -> tuple[tuple[Any, str, Any], ...]:
    """Return where what is replaced: the owner, the name there, and what takes its place."""
    package = load_package()
    textgen, logic, planner = package.textgen, package.logic, package.planner
    return (
        (textgen, "_parse_and_convert", _kept_symbols(textgen._parse_and_convert, textgen.Symbol)),
        (textgen, "copy_context", _shallow_context),
        (textgen, "deepcopy", functools.partial(_fresh, textgen.Symbol)),
        (textgen, "Rule", _Rules(textgen.Rule.parse_conjunctive_query)),
        (logic, "_parse_and_convert", functools.lru_cache(maxsize=TRANSLATED_MAX)(logic._parse_and_convert)),
        (planner, "pddl2sas", _kept_translations(planner.pddl2sas)),
    )


def _kept_symbols(parse: Callable[..., Any], symbol: type) -> Callable[..., Any]:
    """Return *parse* with its answers kept; each is handed out as fresh symbols, because contexts are hung on them."""

    @functools.lru_cache(maxsize=PARSED_MAX)
    def parsed(text: str, rule_name: str) -> Any:
        return parse(text, rule_name=rule_name)

    def quicker(text: str, rule_name: str, trace: bool = False) -> Any:
        return parse(text, rule_name=rule_name, trace=True) if trace else _fresh(symbol, parsed(text, rule_name))

    return quicker


def _fresh(symbol: type, value: Any) -> Any:
    """Return *value* with new symbols in it, and everything else shared: contexts are replaced, never changed."""
    if isinstance(value, list):
        return [_fresh(symbol, item) for item in value]
    if not isinstance(value, symbol):
        return value
    made = copy.copy(value)
    for name, part in vars(value).items():
        if name != "context" and isinstance(part, symbol | list):
            setattr(made, name, _fresh(symbol, part))
    return made


def _shallow_context(context: dict[str, Any]) -> dict[str, Any]:
    """Return *context* with its own two mappings, which are added to; the values in them are only read."""
    return {**context, "variables": dict(context["variables"]), "mapping": dict(context["mapping"])}


class _Rules:
    """Stands where the grammar looks for rules, of which it uses one function."""

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse_conjunctive_query = functools.lru_cache(maxsize=PARSED_MAX)(parse)


def _kept_translations(translate: Callable[..., Any]) -> Callable[..., Any]:
    """
    Return *translate* with its answers kept.

    The engine asks for a second translation, made for planning. No plan is ever asked for here, so it gets the first.
    """

    @functools.lru_cache(maxsize=TRANSLATED_MAX)
    def translated(domain: str, problem: str) -> Any:
        return translate(domain, problem)

    def quicker(domain: str, problem: str, verbose: bool = False, optimize: bool = False) -> Any:
        return translate(domain, problem, verbose, optimize) if verbose else translated(domain, problem)

    return quicker
