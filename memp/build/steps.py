"""
From what was done to the steps of a procedure: ways become searches, and places are gone to where something is done.

The normal form is what makes runs comparable. A thing that the task names is looked for before it is first handled,
whether the run had to wander or stood beside it; a place is gone to before something is done there, whichever way the
run came; and what had to be opened stands under its condition, so that a run that found it open says the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from memp.build.canonical import Guard, Item, with_likely
from memp.build.effects import Deed
from memp.build.parameters import Slots, canonical_call, leaves
from memp.build.places import Searching, Vocabulary, kind_of, says
from memp.script.lift import make_call
from memp.script.nodes import (
    Act,
    Call,
    Do,
    Expression,
    Find,
    FormattedText,
    Name,
    TextLiteral,
)
from memp.script.types import Type


class StepWriter:
    """
    Writes the steps of one run.

    Args:
        slots: What the task names.

        vocabulary: The toolset.
    """

    def __init__(self, slots: Slots, vocabulary: Vocabulary) -> None:
        self.slots = slots
        self.vocabulary = vocabulary
        self.items: list[Item] = []
        self._pending: list[Deed] = []
        self._known: set[str] = set()
        self._here: str | None = None  # the place of the run
        self._arrived: tuple[str | None, Expression | None] = (None, None)  # its place when the steps came there
        self._found: dict[str, str] = {}  # place to the variable of the search that ended there
        self._variables = 0

    def write(self, deeds: Sequence[Deed]) -> list[Item]:
        """Return the steps that *deeds* come to; empty if nothing was done."""
        searching = self.vocabulary.searching
        for deed in deeds:
            if deed.call is None:
                self._act(deed, Do(text=self._words(deed.text)))
            elif searching is not None and deed.call.name in searching.steps:
                self._pending.append(deed)
                if deed.call.name == searching.mover.name:
                    self._here = self.vocabulary.place_of(deed.call)
            else:
                self._act(deed, None)
        if self._pending and searching is not None:
            self._approach(searching)  # going somewhere was all there was to do, or the last that was needed
        return self.items

    def _words(self, text: str) -> TextLiteral | FormattedText:
        words = self.slots.words(text)
        assert isinstance(words, TextLiteral | FormattedText)
        return words

    def _act(self, deed: Deed, words: Do | None) -> None:
        searching = self.vocabulary.searching
        if deed.call is not None and self._pending:
            self._here = self._place_of_act(deed.call) or self._here
        found: dict[str, str] = {}
        guards: tuple[Guard, ...] = ()
        if searching is not None:
            sought = self._sought(deed.call, searching) if deed.call is not None else []
            if sought:
                found = self._search(sought, searching)
            else:
                guards = self._approach(searching, deed.call)
        self._pending.clear()
        if words is not None:
            self.items.append(Item(guards=guards, step=words))
            return
        assert deed.call is not None
        self._known.update(self._things(deed.call))
        self.items.append(Item(guards=guards, step=Act(call=self._call(deed.call, found))))

    def _call(self, call: Call, found: dict[str, str]) -> Call:
        """Return *call* as the procedure says it; a place where a thing was found is called by its variable."""

        def leaf(text: str, type_: Type) -> Expression:
            is_place = text in found and self._is_place(type_)
            return Name(name=found[text]) if is_place else self.slots.leaf(text, type_)

        return canonical_call(call, self.vocabulary, leaf)

    def _is_place(self, type_: Type) -> bool:
        searching = self.vocabulary.searching
        return searching is not None and self.vocabulary.rules.fits(searching.finder.returns, type_)

    def _place_of_act(self, call: Call) -> str | None:
        """
        Return the place that *call* names: that is where it was done, whichever place beside it the run had walked to.

        None if it names no place, or several.
        """
        places = [text for text, type_ in self._leaves(call) if self._is_place(type_)]
        return places[0] if len(places) == 1 else None

    def _things(self, call: Call) -> Iterator[str]:
        for text, _ in self._leaves(call):
            yield text

    def _leaves(self, call: Call) -> Iterator[tuple[str, Type]]:
        types = self.vocabulary.types_of(call)
        for name, value in self.vocabulary.arguments(call).items():
            yield from leaves(value, types[name], self.vocabulary)

    # -- searching ----------------------------------------------------------------------------------------------------

    def _sought(self, call: Call, searching: Searching) -> list[tuple[str, Type]]:
        """
        Return the things of *call* that had to be found first.

        Those are the ones that the task names and that are handled for the first time; where it names none of them, the
        first new thing after the run went from one place to another.
        """
        wanted, place = searching.sought.type, searching.finder.returns
        rules = self.vocabulary.rules
        new = [
            (text, type_)
            for text, type_ in self._leaves(call)
            if self.vocabulary.is_thing(type_)
            and rules.fits(type_, wanted)
            and not rules.fits(type_, place)
            and text not in self._known
        ]
        named = [(text, type_) for text, type_ in new if self.slots.find(text, type_) is not None]
        moved = any(deed.call is not None and deed.call.name == searching.mover.name for deed in self._pending)
        return named or (new[:1] if moved else [])

    def _search(self, sought: Sequence[tuple[str, Type]], searching: Searching) -> dict[str, str]:
        """Write the search for *sought* and return the variable for the place where the run found it."""
        variable = ""
        for text, type_ in dict.fromkeys(sought):
            variable = f"found {self._variables}"
            self._variables += 1
            call = make_call(searching.finder, {searching.sought.name: self.slots.leaf(text, type_)})
            find = Find(target=variable, call=call)
            if searching.likely is not None and self._here is not None:
                find = with_likely(find, searching.likely.name, [kind_of(self._here)])
            self.items.append(Item(step=find))
        for deed in self._after_arriving(searching):
            assert deed.call is not None
            if self.vocabulary.place_of(deed.call) is None:
                self.items.append(Item(step=Act(call=self._call(deed.call, {}))))
        self._arrived = (self._here, Name(name=variable))
        if self._here is None:
            return {}
        self._found[self._here] = variable
        return {self._here: variable}

    # -- going where something is done --------------------------------------------------------------------------------

    def _after_arriving(self, searching: Searching) -> list[Deed]:
        """Return the pending steps of a search behind the last that went somewhere."""
        last = 0
        for index, deed in enumerate(self._pending):
            if deed.call is not None and deed.call.name == searching.mover.name:
                last = index + 1
        return self._pending[last:]

    def _approach(self, searching: Searching, call: Call | None = None) -> tuple[Guard, ...]:
        """Write how one gets to where the run is now, and return what may have to be done before going on."""
        guards: list[Guard] = []
        plain: list[Item] = []
        place = None if self._here is None else self._place(self._here, searching)
        if call is None and self._here in self._found:
            place = Name(name=self._found[self._here])
        acts_here = call is not None and self._place_of_act(call) is not None
        for deed in self._after_arriving(searching):
            assert deed.call is not None
            about = self.vocabulary.place_of(deed.call)
            if self._here is None or about != self._here:
                if about is None or not acts_here:  # otherwise it was another place, and the run only looked into it
                    plain.append(Item(step=Act(call=self._call(deed.call, {}))))
                continue
            guard = self._guard(deed, searching)
            if guard is not None and guard not in guards:
                guards.append(guard)
            elif guard is None and not searching.conditions:
                # No condition could say when this is needed, so it always is.
                plain.append(Item(step=Act(call=self._call(deed.call, {}))))
        if place is not None and self._must_go(place, call):
            self.items.append(Item(step=Act(call=make_call(searching.mover, self._mover_values(place, searching)))))
            self._arrived = (self._here, place)
        self.items += plain
        return tuple(sorted(guards))

    def _must_go(self, place: Expression, call: Call | None) -> bool:
        was, said = self._arrived
        if said == place:
            return False
        happens_there = call is not None and any(
            text == self._here and self._is_place(type_) for text, type_ in self._leaves(call)
        )
        return was != self._here or happens_there

    def _place(self, place: str, searching: Searching) -> Expression:
        return self.slots.leaf(place, searching.finder.returns)

    @staticmethod
    def _mover_values(place: Expression, searching: Searching) -> dict[str, Expression]:
        return {searching.mover.parameters[0].name: place}

    def _guard(self, deed: Deed, searching: Searching) -> Guard | None:
        """Return *deed* under the condition that the run saw on arriving; None if it saw none."""
        assert self._here is not None
        assert deed.call is not None
        seen = ""
        for one in self._pending[: self._pending.index(deed)]:
            if one.call is not None and one.call.name == searching.mover.name:
                seen = one.observation
        for condition in searching.conditions:
            if says(condition, self._here, seen):
                return Guard(condition=condition.name, action=deed.call.name)
        return None


def untyped_items(slots: Slots, deeds: Sequence[Deed]) -> list[Item]:
    """Return *deeds* as steps in words."""
    items = []
    for deed in deeds:
        words = slots.words(deed.text)
        assert isinstance(words, TextLiteral | FormattedText)
        items.append(Item(step=Do(text=words)))
    return items
