"""
What a task fills in: the things that it names, as typed parameters of the procedure.

A slot is one place in the task's words. Every thing of a run that is said there ("mug 1" and "mug 2" by "two mugs") is
that parameter; what the task does not name stays a literal, the kind of thing rather than the one that was there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import attrs

from memp.build.effects import Deed
from memp.build.mentions import Mentions, Span, phrases, without_overlaps
from memp.build.places import Vocabulary, kind_of, shown_by_name
from memp.retrieval.patterns import FUNCTION_WORDS, NAME_WORDS_MAX
from memp.script.lift import make_call
from memp.script.nodes import (
    Call,
    Expression,
    FormattedText,
    Keyword,
    ListLiteral,
    Name,
    RecordLiteral,
    TextLiteral,
    formatted,
)
from memp.script.types import ANY, TEXT, ListType, LiteralType, Type

WORDS_CHARS_MAX = 500
"""Characters of a text that a script keeps. Longer ones are messages and files that the next run will word anew; they
stand whole in the run, and a statement that is longer than the language reads would be none."""

Leaf = Callable[[str, Type], Expression]
"""Gives what takes the place of a text of that type."""


@attrs.frozen(kw_only=True)
class Slot:
    """
    A place in the task that the procedure takes as a parameter.

    Attributes:
        name: What stands for it until it is named.

        span: Where it stands in the task.

        type: Its type.
    """

    name: str
    span: Span
    type: Type


class Slots:
    """
    The slots of one run.

    Args:
        task: The task in words.

        deeds: What was done.

        vocabulary: The toolset; None: every action is words.
    """

    def __init__(self, task: str, deeds: Iterable[Deed], vocabulary: Vocabulary | None) -> None:
        self.vocabulary = vocabulary
        self.mentions = Mentions(task)
        self._by_text: dict[str, tuple[Span, ...]] = {}
        self.slots: dict[Span, Slot] = {}
        found: list[tuple[tuple[Span, ...], Type]] = []
        for deed in deeds:
            for text, type_ in self._names(deed):
                if spans := self._spans(text, type_):
                    found.append((spans, type_))
        chosen = without_overlaps(spans for spans, _ in found)
        self._chosen = chosen
        for spans, type_ in found:
            if (span := chosen.get(spans)) is not None:
                self._take(span, type_)

    def _take(self, span: Span, type_: Type) -> None:
        known = self.slots.get(span)
        if known is None:
            self.slots[span] = Slot(name=f"{span.start}:{span.end}", span=span, type=type_)
        elif known.type != type_ and self._fits(type_, known.type):
            self.slots[span] = attrs.evolve(known, type=type_)

    def _fits(self, found: Type, wanted: Type) -> bool:
        return found == wanted if self.vocabulary is None else self.vocabulary.rules.fits(found, wanted)

    def _names(self, deed: Deed) -> Iterator[tuple[str, Type]]:
        if deed.call is None or self.vocabulary is None:
            yield from ((phrase, TEXT) for phrase in self._phrases(deed.text))
            return
        types = self.vocabulary.types_of(deed.call)
        for name, value in self.vocabulary.arguments(deed.call).items():
            yield from leaves(value, types[name], self.vocabulary)

    def _spans(self, text: str, type_: Type) -> tuple[Span, ...]:
        """Return where the task says *text*: a thing also by its kind, a text only in just these words."""
        key = f"{type_}\0{text}"
        if key not in self._by_text:
            is_thing = self.vocabulary is not None and self.vocabulary.is_thing(type_)
            find = self.mentions.find if is_thing else self.mentions.find_exactly
            spoken = text.replace("_", " ") if isinstance(type_, LiteralType) else text
            self._by_text[key] = find(spoken) or (find(kind_of(spoken)) if is_thing else ())
        return self._by_text[key]

    def find(self, text: str, type_: Type) -> Slot | None:
        """Return the slot that *text* fills where *type_* is expected; None if the task does not name it."""
        spans = self._spans(text, type_)
        slot = self.slots.get(self._chosen[spans]) if spans in self._chosen else None
        return slot if slot is not None and self._fits(slot.type, type_) else None

    def again(self, used: Mapping[str, Slot]) -> dict[Span, str]:
        """Return where the task says one of the slots *used* once more, and which."""
        taken = [slot.span for slot in used.values()]
        found: dict[Span, str] = {}
        wanted = [
            (span, slot.name)
            for slot in used.values()
            for span in self.mentions.find(" ".join(self.mentions.words_at(slot.span)))
        ]
        for span, name in sorted(wanted, key=lambda pair: (pair[0].start - pair[0].end, pair)):
            if not any(span.overlaps(other) for other in (*taken, *found)):
                found[span] = name
        return found

    def leaf(self, text: str, type_: Type) -> Expression:
        """Return what stands for *text* in a procedure: a parameter, a text around parameters, or the kind of thing."""
        slot = self.find(text, type_)
        if slot is not None:
            return Name(name=slot.name)
        if isinstance(type_, LiteralType):
            return TextLiteral(value=text)
        is_thing = self.vocabulary is not None and self.vocabulary.is_thing(type_)
        return self.words(kind_of(text) if is_thing else text)

    def words(self, text: str) -> Expression:
        """Return *text* with what the slots say as names."""
        text = shortened(text)
        spots = phrases(text)
        # A word out of a fixed choice ("economy") says something else in a sentence.
        free = [slot for slot in self.slots.values() if not isinstance(slot.type, LiteralType)]
        by_words = {tuple(self.mentions.words_at(slot.span)): slot for slot in free}
        parts: list[str | Name] = []
        done, first = 0, 0
        while first < len(spots):
            for length in range(min(NAME_WORDS_MAX, len(spots) - first), 0, -1):
                window = spots[first : first + length]
                slot = by_words.get(tuple(text[start:end].casefold() for start, end in window))
                whole = text[window[0][0] - 1 : window[0][0]] != "_" and text[window[-1][1] : window[-1][1] + 1] != "_"
                if slot is not None and whole:
                    parts += [text[done : window[0][0]], Name(name=slot.name)]
                    done, first = window[-1][1], first + length
                    break
            else:
                first += 1
        return formatted([*parts, text[done:]])

    def _phrases(self, text: str) -> Iterator[str]:
        """Yield the longest phrases behind the first word of *text* that the task says too."""
        spots = phrases(shortened(text))
        first = 1
        while first < len(spots):
            for length in range(min(NAME_WORDS_MAX, len(spots) - first), 0, -1):
                phrase = text[spots[first][0] : spots[first + length - 1][1]]
                if phrase.casefold() not in FUNCTION_WORDS and self.mentions.find_exactly(phrase):
                    yield phrase
                    first += length - 1
                    break
            first += 1


def shortened(text: str) -> str:
    """Return *text*, cut if a script would not hold it."""
    return text if len(text) <= WORDS_CHARS_MAX else text[: WORDS_CHARS_MAX - 1] + "…"


def leaves(value: Expression, type_: Type, vocabulary: Vocabulary) -> Iterator[tuple[str, Type]]:
    """Yield the texts in *value* that may be names, each with the type that is expected there."""
    match value:
        case TextLiteral(value=text):
            if vocabulary.rules.is_written_as_text(type_):
                yield text, type_
        case ListLiteral(items=items):
            for item in items:
                yield from leaves(item, type_.item if isinstance(type_, ListType) else ANY, vocabulary)
        case RecordLiteral(entries=entries):
            fields = _field_types(type_, vocabulary)
            for key, part in entries:
                yield from leaves(part, fields.get(key, ANY), vocabulary)
        case _:
            return


def with_leaves(value: Expression, type_: Type, vocabulary: Vocabulary, change: Leaf) -> Expression:
    """Return *value* with *change* applied to every text that ``leaves`` yields."""
    match value:
        case TextLiteral(value=text):
            return change(text, type_) if vocabulary.rules.is_written_as_text(type_) else value
        case ListLiteral(items=items):
            item_type = type_.item if isinstance(type_, ListType) else ANY
            return ListLiteral(items=tuple(with_leaves(item, item_type, vocabulary, change) for item in items))
        case RecordLiteral(entries=entries):
            fields = _field_types(type_, vocabulary)
            changed = ((key, with_leaves(part, fields.get(key, ANY), vocabulary, change)) for key, part in entries)
            return RecordLiteral(entries=tuple(changed))
        case FormattedText():
            return value
        case _:
            return value


def _field_types(type_: Type, vocabulary: Vocabulary) -> dict[str, Type]:
    found = vocabulary.rules.tool_class(type_)
    return {} if found is None else {field.wire: field.type for field in found.fields}


def canonical_call(call: Call, vocabulary: Vocabulary, change: Leaf) -> Call:
    """Return *call* with *change* applied to its texts, its arguments in the one order in which they are written."""
    entry = vocabulary.toolset.find_entry(call.name)
    assert entry is not None
    types = vocabulary.types_of(call)
    values = {
        name: with_leaves(value, types[name], vocabulary, change) for name, value in vocabulary.arguments(call).items()
    }
    if shown_by_name(entry):
        return Call(name=entry.name, keywords=tuple(Keyword(name=name, value=value) for name, value in values.items()))
    return make_call(entry, values)
