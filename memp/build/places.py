"""
What a toolset says about where things are: which of its finders a run's wandering can become.

Nothing here knows a world. A finder that is told one thing and returns a place, and that is made of actions of which
one goes to such a place, is a search; which words these are, the toolset says.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator

import attrs

from memp.script.forms import Slot, split_form
from memp.script.nodes import Call, Expression, Parameter, TextLiteral
from memp.script.toolset import Action, AnyEntry, Condition, Finder, Toolset, bind_arguments
from memp.script.type_rules import TypeRules
from memp.script.types import TEXT, ListType, NamedType, Type

_NUMBER = re.compile(r"\s+\d+$")


def kind_of(thing: str) -> str:
    """Return the kind of a thing: its name without the number at its end, ``mug`` for ``mug 1``."""
    return _NUMBER.sub("", thing) or thing


@attrs.frozen(kw_only=True)
class Searching:
    """
    How a toolset speaks of searching.

    Attributes:
        finder: The finder.

        sought: Its parameter for what is looked for.

        likely: Its parameter for the kinds of places to look in first; None if it has none.

        mover: The action that goes to one place.

        steps: The names of all actions that a search is made of, the mover included.

        conditions: The conditions that say something of one place, such as that it is closed.
    """

    finder: Finder
    sought: Parameter
    likely: Parameter | None
    mover: Action
    steps: frozenset[str]
    conditions: tuple[Condition, ...]


class Vocabulary:
    """
    A toolset with the questions that building asks of it.

    Args:
        toolset: The toolset.
    """

    def __init__(self, toolset: Toolset) -> None:
        self.toolset = toolset
        self.rules = TypeRules(toolset)
        self.searching = next(self._searches(), None)

    @property
    def likely(self) -> str | None:
        """The finder's parameter for the places to look in first; None if there is none."""
        return None if self.searching is None or self.searching.likely is None else self.searching.likely.name

    def _searches(self) -> Iterator[Searching]:
        for finder in self.toolset.finders:
            required = [p for p in finder.parameters if p.default is None]
            optional = [p for p in finder.parameters if p.default is not None]
            likely = next((p for p in optional if isinstance(p.type, ListType)), None)
            movers = [a for name in finder.by if (a := self.toolset.find_action(name)) and self._goes_to(a, finder)]
            if len(required) != 1 or not movers or not self.is_thing(finder.returns):
                continue
            conditions = [c for c in self.toolset.conditions if self._is_about(c, finder.returns)]
            yield Searching(
                finder=finder,
                sought=required[0],
                likely=likely if likely is not None and self._holds_places(likely) else None,
                mover=movers[0],
                steps=frozenset(finder.by),
                conditions=tuple(conditions),
            )

    @staticmethod
    def _goes_to(action: Action, finder: Finder) -> bool:
        return len(action.parameters) == 1 and action.parameters[0].type == finder.returns

    def _is_about(self, entry: Condition, place: Type) -> bool:
        return len(entry.parameters) == 1 and self.rules.fits(place, entry.parameters[0].type)

    @staticmethod
    def _holds_places(likely: Parameter) -> bool:
        return isinstance(likely.type, ListType) and (
            likely.type.item == TEXT or isinstance(likely.type.item, NamedType)
        )

    def is_thing(self, type_: Type) -> bool:
        """Return whether *type_* is a class of things that are named by a text, such as ``mug 1``."""
        found = self.rules.tool_class(type_)
        return found is not None and not found.is_record and not found.open

    def types_of(self, call: Call) -> dict[str, Type]:
        """Return the types of the parameters of what is called; empty if the toolset does not know it."""
        entry = self.toolset.find_entry(call.name)
        return {} if entry is None else {parameter.name: parameter.type for parameter in entry.parameters}

    def arguments(self, call: Call) -> dict[str, Expression]:
        """Return the arguments of *call* by parameter; empty if the toolset does not know it."""
        entry = self.toolset.find_entry(call.name)
        return {} if entry is None else bind_arguments(call, entry.parameters) or {}

    def place_of(self, call: Call) -> str | None:
        """Return the place that *call*, a step of a search, is about; None if it is about no single place."""
        assert self.searching is not None
        texts = [value for value in self.arguments(call).values() if isinstance(value, TextLiteral)]
        entry = self.toolset.find_entry(call.name)
        about = entry is not None and len(entry.parameters) == 1 and len(texts) == 1
        fits = about and entry is not None and self.rules.fits(self.searching.finder.returns, entry.parameters[0].type)
        return texts[0].value if fits else None


@functools.lru_cache(maxsize=64)
def vocabulary(toolset: Toolset) -> Vocabulary:
    """Return the vocabulary of *toolset*, made once."""
    return Vocabulary(toolset)


def says(condition: Condition, thing: str, observation: str) -> bool:
    """Return whether *observation* says *condition* of *thing* in one of the condition's own wordings."""
    seen = " ".join(observation.split()).casefold()
    return any(
        "".join(thing if isinstance(piece, Slot) else piece for piece in split_form(form.text)).casefold() in seen
        for form in condition.forms
    )


def shown_by_name(entry: AnyEntry) -> bool:
    """Return whether arguments of *entry* are best given by name: where the environment takes them so."""
    return any(form.is_json for form in entry.forms)
