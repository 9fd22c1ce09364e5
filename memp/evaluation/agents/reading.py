"""
Commands and script steps brought to one form, so that they can be compared.

Both become a name and the texts of the arguments. With a toolset that is exact and the same in every dialect of the
world, because commands are lifted through it; without one the verb is the name ("go to desk 1" is ``go_to`` with
``desk 1``). Lowering each step to text and comparing texts was not taken: a step does not know yet *which* mug it will
take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from memp.evaluation.agents.commands import kind, read
from memp.script.lift import lift, plain_text
from memp.script.nodes import Call, Expression, TextLiteral
from memp.script.toolset import Entry, bind_arguments

if TYPE_CHECKING:
    from memp.script.toolset import Toolset


@attrs.frozen
class Reading:
    """
    A command as a call.

    Attributes:
        name: The action.

        args: Texts of the arguments, in the order of the action's parameters.
    """

    name: str
    args: tuple[str, ...]


@attrs.frozen
class Value:
    """
    What an argument of a step stands for.

    Attributes:
        text: A thing (``mug 1``) or a kind (``mug``).

        exact: Only that thing will do; otherwise any of its kind.
    """

    text: str
    exact: bool = False

    def fits(self, text: str) -> int:
        """Return how well *text* is what is meant: 2 for that very thing, 1 for one of its kind, 0 for another."""
        if text.lower() == self.text:
            return 2
        return int(not self.exact and kind(text.lower()) == kind(self.text))


class Reader:
    """
    Reads the commands of one world.

    Args:
        toolset: Its vocabulary; None to read by form.
    """

    def __init__(self, toolset: Toolset | None) -> None:
        self.toolset = toolset
        self._read: dict[str, Reading | None] = {}

    def read(self, text: str) -> Reading | None:
        """Return *text* as a call; None if the toolset does not know it."""
        if text not in self._read:
            self._read[text] = self._lift(text) if self.toolset is not None else self._by_form(text)
        return self._read[text]

    def arguments(self, call: Call) -> tuple[Expression, ...]:
        """Return the arguments of *call* in the order of the parameters; as written if the name is not declared."""
        entry = self._entry(call.name)
        bound = None if entry is None else bind_arguments(call, entry.parameters)
        return tuple(bound.values()) if bound is not None else (*call.args, *(word.value for word in call.keywords))

    def verb(self, name: str) -> str:
        """Return the words with which the world's preferred form of the action *name* begins."""
        entry = self._entry(name)
        return name.replace("_", " ") if entry is None else entry.forms[0].text.partition("{")[0].strip().lower()

    def spoken(self, name: str, args: tuple[str, ...]) -> tuple[str, ...]:
        """Return every way of saying that the condition *name* holds of *args*, in lower case."""
        entry = self._entry(name)
        if entry is None:
            return (f"{' '.join(args[:1])} is {name.replace('_', ' ')}",)
        texts = []
        for form in entry.forms:
            text = form.text
            for parameter, value in zip(entry.parameters, args, strict=False):
                text = text.replace(f"{{{parameter.name}}}", value)
            texts.append(text.lower())
        return tuple(texts)

    def _entry(self, name: str) -> Entry | None:
        return None if self.toolset is None else self.toolset.find_entry(name)

    def _lift(self, text: str) -> Reading | None:
        assert self.toolset is not None
        call = lift(text, self.toolset)
        if call is None:
            return None
        return Reading(call.name, tuple([plain_text(value, {}) for value in self.arguments(call)]))

    @staticmethod
    def _by_form(text: str) -> Reading:
        command = read(text)
        return Reading(command.verb.replace(" ", "_"), command.things)


def call_of(reading: Reading, values: dict[str, Expression]) -> Call:
    """Return *reading* as a call, with the expressions that *values* has for some of its arguments."""
    return Call(name=reading.name, args=tuple(values.get(arg, TextLiteral(value=arg)) for arg in reading.args))
