"""
What the statements of a script mean together: which names are bound where, and what is called.

The names in a procedure are followed through its branches and loops as Python would bind them; whether values fit is
for ``value_checker``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from memp.script.forms import FormError, slot_names, split_form
from memp.script.mistakes import MistakeList, guess
from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    Break,
    Call,
    Do,
    Ensure,
    Find,
    ForEach,
    If,
    ListLiteral,
    Note,
    NullLiteral,
    NumberLiteral,
    Parameter,
    ProcedureDef,
    Repeat,
    Script,
    Span,
    Statement,
    Stop,
    Try,
)
from memp.script.toolset import (
    Action,
    Condition,
    Finder,
    Toolset,
    signature_text,
    unknown_types,
)
from memp.script.type_rules import WRITTEN
from memp.script.types import ANY, NUMBER, TEXT, ListType, Type, type_text
from memp.script.value_checker import Names, ValueChecker
from memp.script.walk import called_names


class Checker(ValueChecker):
    """Checks one procedure, noting mistakes."""

    # -- procedures ---------------------------------------------------------------------------------------------------

    def procedure(self, node: ProcedureDef) -> None:
        """Check *node* whole."""
        names: Names = {}
        for parameter in node.parameters:
            if parameter.name in names:
                self.mistakes.add(f"The parameter {parameter.name!r} stands twice.", at=parameter.span)
            self._check_new_name(parameter.name, parameter.span, "parameter")
            names[parameter.name] = parameter.type if self._check_type(parameter) else ANY
            if parameter.default is not None and not isinstance(parameter.default, NullLiteral):
                self.expression(parameter.default, parameter.type, {})
        self.parameters = frozenset(names)
        spans = node.pattern_spans or (node.span,) * len(node.patterns)
        for pattern, span in zip(
            node.patterns, spans, strict=False
        ):  # without spans, the source had no patterns to check
            self._check_pattern(pattern, node, span)
        self.block(node.body, dict(names), in_loop=False)

    def _check_type(self, parameter: Parameter) -> bool:
        """Return whether the type of *parameter* is declared."""
        if self.toolset is None:
            return True
        known = {tool_class.name: tool_class for tool_class in self.toolset.classes}
        unknown = tuple(unknown_types(parameter.type, known))
        for name in unknown:
            near = guess(name, (*known, "Text", "Number", "Bool"))
            self.mistakes.add(
                f"The toolset {self.toolset.name!r} has no class {name!r}.",
                at=parameter.span,
                expected=f"one of Text, Number, Bool, {', '.join(sorted(known))}",
                suggestion=near,
            )
        return not unknown

    def _check_pattern(self, pattern: str, node: ProcedureDef, at: Span | None) -> None:
        known = [parameter.name for parameter in node.parameters]
        try:
            slots = slot_names(pattern)
        except FormError as error:
            self.mistakes.add(f"The task pattern {pattern!r} cannot be read: {error}.", at=at)
            return
        for slot in slots:
            if slot not in known:
                self.mistakes.add(
                    f"The task pattern {pattern!r} names {{{slot}}}, which is no parameter.",
                    at=at,
                    expected=f"a parameter of {signature_text(node.name, node.parameters)}",
                    suggestion=guess(slot, known),
                )
            elif slots.count(slot) > 1:
                self.mistakes.add(f"The task pattern {pattern!r} names {{{slot}}} twice.", at=at)
        if not any(isinstance(piece, str) and piece.strip() for piece in split_form(pattern)):
            self.mistakes.add(f"The task pattern {pattern!r} has no words beside its slots.", at=at)

    # -- names --------------------------------------------------------------------------------------------------------

    def _check_new_name(self, name: str, at: Span | None, what: str) -> None:
        taken = name in self.procedures or (self.toolset is not None and self.toolset.find_entry(name) is not None)
        if taken:
            self.mistakes.add(f"{name!r} cannot be a {what}: something that is called has this name.", at=at)

    def _bind(self, name: str, type_: Type, names: Names, at: Span | None) -> None:
        self._check_new_name(name, at, "variable")
        if name in self.parameters:
            self.mistakes.add(f"The parameter {name!r} cannot be given another value.", at=at, expected="a new name")
        elif name in names and not self.rules.fits(type_, names[name]):
            was = type_text(names[name])
            self.mistakes.add(f"{name!r} is already a {was} and cannot become a {type_text(type_)}.", at=at)
        names.setdefault(name, type_)

    # -- statements ---------------------------------------------------------------------------------------------------

    def block(self, statements: Sequence[Statement], names: Names, *, in_loop: bool) -> Names | None:
        """Check *statements*, adding to *names*; return the names afterwards, None if the end is never reached."""
        ends = False
        for statement in statements:
            ends = self.statement(statement, names, in_loop=in_loop) or ends
        return None if ends else names

    def statement(self, node: Statement, names: Names, *, in_loop: bool) -> bool:
        """Check *node*, adding what it binds to *names*; return whether nothing after it is reached."""
        match node:
            case Act(call=call):
                self._act(call, names)
            case Find(target=target, call=call):
                self._bind(target, self._find(call, names), names, node.span)
            case If():
                return self._if(node, names, in_loop=in_loop)
            case ForEach(variable=variable, items=items):
                found = self.expression(items, ListType(ANY), names)
                item = found.item if isinstance(found, ListType) else ANY
                if isinstance(items, ListLiteral) and item == TEXT:
                    item = WRITTEN
                self._bind(variable, item, names, node.span)
                self._loop(node, names, in_loop=in_loop)
            case Repeat(count=count) | Attempts(count=count):
                self.expression(count, NUMBER, names)
                if isinstance(count, NumberLiteral) and (count.value < 1 or count.value != int(count.value)):
                    self.mistakes.add(
                        f"It cannot be done {count.value} times.", at=count.span, expected="1 or more, whole"
                    )
                self._loop(node, names, in_loop=in_loop)
            case Try(body=body, handler=handler):
                after = [
                    self.block(part, inner, in_loop=in_loop)
                    for part, inner in ((body, dict(names)), (handler, dict(names)))
                ]
                return self._join(names, after)
            case Break():
                if not in_loop:
                    self.mistakes.add(
                        "'break' stands outside a loop.", at=node.span, expected="stop(reason) to give up"
                    )
                return True
            case Ensure(condition=condition, why=why):
                self.condition(condition, names)
                self.expression(why, TEXT, names)
            case Avoid(what=what, because=because):
                if isinstance(what, Call):
                    self._act(what, names)
                else:
                    self.expression(what, TEXT, names)
                self.expression(because, TEXT, names)
            case Note(text=text) | Do(text=text):
                self.expression(text, TEXT, names)
            case Stop(reason=reason):
                self.expression(reason, TEXT, names)
                return True
        return False

    def _if(self, node: If, names: Names, *, in_loop: bool) -> bool:
        after: list[Names | None] = []
        for branch in node.branches:
            self.condition(branch.condition, names)
            after.append(self.block(branch.body, dict(names), in_loop=in_loop))
        after.append(self.block(node.otherwise, dict(names), in_loop=in_loop))
        return self._join(names, after)

    def _join(self, names: Names, after: Iterable[Names | None]) -> bool:
        """Add to *names* what every way that goes on has bound; return whether none goes on."""
        going_on = [found for found in after if found is not None]
        if not going_on:
            return True
        for name, type_ in going_on[0].items():
            if all(name in other for other in going_on):
                names.setdefault(name, type_)
        return False

    def _loop(self, node: ForEach | Repeat | Attempts, names: Names, *, in_loop: bool) -> None:
        """Check the body; what it binds counts as bound afterwards, because a loop that never runs is not the plan."""
        self.block(node.body, names, in_loop=True)
        self.block(node.otherwise, dict(names), in_loop=in_loop)

    def _act(self, call: Call, names: Names) -> None:
        entry = None if self.toolset is None else self.toolset.find_entry(call.name)
        match entry:
            case Action():
                self.arguments(call, entry.parameters, names)
            case Finder():
                self._wrong_place(call, "finder", f"name = {call.name}(…)", names)
            case Condition():
                self._wrong_place(call, "condition", f"if {call.name}(…): or ensure({call.name}(…), why)", names)
            case None if call.name in self.procedures:
                self.arguments(call, self.procedures[call.name], names)
            case _:
                self._unknown(call, names, "action or procedure", self._callable_names(Action))

    def _find(self, call: Call, names: Names) -> Type:
        entry = None if self.toolset is None else self.toolset.find_entry(call.name)
        if isinstance(entry, Finder):
            self.arguments(call, entry.parameters, names)
            return entry.returns
        if entry is not None or call.name in self.procedures:
            self._wrong_place(
                call, "action" if entry is None or isinstance(entry, Action) else "condition", "a finder", names
            )
        else:
            self._unknown(call, names, "finder", self._callable_names(Finder))
        return ANY


def check_script(
    procedures: Sequence[ProcedureDef],
    toolset: Toolset | None,
    mistakes: MistakeList,
    *,
    is_untyped: bool,
    declared: Iterable[str] = (),
    poisoned: frozenset[str] = frozenset(),
    library: Sequence[Script] = (),
) -> None:
    """
    Note what does not fit in *procedures*.

    Args:
        procedures: What was read of a script.

        toolset: Its vocabulary; None if it has none, or if the one it names was not found.

        mistakes: Takes the mistakes.

        is_untyped: Whether names that nobody declares may be called.

        declared: Names of procedures that the script holds but that could not be read.

        poisoned: Names of variables that a line was to assign which could not be read.

        library: Scripts whose procedures may be called as well.
    """
    known: dict[str, Sequence[Parameter] | None] = dict.fromkeys(declared)
    known |= {node.name: node.parameters for script in library for node in script.procedures}
    seen: set[str] = set()
    for node in procedures:
        if node.name in seen:
            mistakes.add(f"There are two procedures {node.name!r}.", at=node.span, expected="different names")
        elif toolset is not None and toolset.find_entry(node.name) is not None:
            mistakes.add(
                f"The toolset already has something called {node.name!r}.", at=node.span, expected="another name"
            )
        seen.add(node.name)
        known[node.name] = node.parameters
    for node in procedures:
        Checker(toolset, mistakes, is_untyped=is_untyped, procedures=known, poisoned=poisoned).procedure(node)
    _check_cycles(procedures, mistakes)


def _check_cycles(procedures: Sequence[ProcedureDef], mistakes: MistakeList) -> None:
    """Note the procedures that would call themselves, straight or by way of others: such a plan has no end."""
    calls = {node.name: called_names(node) for node in procedures}
    for node in procedures:
        seen: set[str] = set()
        waiting = list(calls[node.name])
        while waiting:
            name = waiting.pop()
            if name not in seen:
                seen.add(name)
                waiting += calls.get(name, ())
        if node.name in seen:
            mistakes.add(
                f"The procedure {node.name!r} calls itself.", at=node.span, expected="a loop, such as attempts(n)"
            )
