"""
How the follower walks through a script: one command at a time, chosen among what can be done now.

A script says what matters and leaves the way open, so most of this is about the way: going to the place that a step is
about, opening it, looking for a thing, taking the thing of a kind that is there. All of that would be the same in any
world of places and things. What is *done* comes from the script alone.

It is a generator: it yields a command, the world answers, the notebook is brought up to date, and it goes on. A loop
with a program counter was not taken: ``for``, ``try`` and ``break`` are Python's own this way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from memp.evaluation.agents.commands import GO, OPEN, PUT, TAKE, kind, read
from memp.evaluation.agents.reading import Reading, Value
from memp.script import nodes

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping, Sequence

    from memp.evaluation.agents.explorer import Exploring
    from memp.evaluation.agents.reading import Reader

    Walk = Generator[str, None, None]

APPROACHES_MAX = 120
"""Commands on the way to one step. A search of the largest known room takes half of it; more is a loop."""

HELD_WORDS = frozenset({"carried", "held"})
"""Words by which a condition asks about the hands."""

CALLS_MAX = 8
"""How deep procedures may call each other; the checker refuses cycles, and an unchecked script must not hang."""


class FailedError(Exception):
    """The script does not work out here; ``try … except failed`` catches it, otherwise the script is dropped."""


class _BreakError(Exception):
    """``break``."""


class _StopError(Exception):
    """``stop(reason)``."""


class Interpreter:
    """
    One script being followed.

    Args:
        exploring: What is known and can be done now; also knows how to search.

        reader: Brings commands and steps to one form.

        procedures: The procedures that a step may call, by name.
    """

    def __init__(self, exploring: Exploring, reader: Reader, procedures: Mapping[str, nodes.ProcedureDef]) -> None:
        self._exploring = exploring
        self._notebook = exploring.notebook
        self._reader = reader
        self._procedures = procedures
        self._values: dict[str, Value] = {}
        self._depth = 0
        self._trying = 0

    def run(self, body: Sequence[nodes.Statement], names: Mapping[str, str]) -> Walk:
        """
        Yield the commands of *body*, each once the last was answered.

        Args:
            body: The steps.

            names: What the parameters stand for: kinds or things.

        Raises:
            FailedError: A step cannot be done here.
        """
        self._values.update({name: Value(text.lower()) for name, text in names.items()})
        try:
            yield from self._block(body)
        except (_StopError, _BreakError):
            return

    def run_procedure(self, procedure: nodes.ProcedureDef, names: Mapping[str, str]) -> Walk:
        """
        Yield the commands of *procedure*; parameters that *names* leaves out have their defaults.

        Raises:
            FailedError: A step cannot be done here.
        """
        for parameter in procedure.parameters:
            if parameter.default is not None:
                self._values[parameter.name] = self._value(parameter.default)
        return self.run(procedure.body, names)

    # -- statements ----------------------------------------------------------------------------------------------

    def _block(self, body: Sequence[nodes.Statement]) -> Walk:
        for statement in body:
            yield from self._statement(statement)

    def _statement(self, statement: nodes.Statement) -> Walk:
        match statement:
            case nodes.Act(call=call):
                yield from self._step(call)
            case nodes.Find(target=target, call=call):
                yield from self._find(target, call)
            case nodes.If():
                yield from self._if(statement)
            case nodes.Repeat() | nodes.Attempts() | nodes.ForEach():
                yield from self._loop(statement)
            case nodes.Try(body=body, handler=handler):
                yield from self._try(body, handler)
            case nodes.Ensure(condition=condition):
                if self._truth(condition) is False:
                    raise FailedError
            case nodes.Avoid(what=nodes.Call() as call):
                self._avoid(call)
            case nodes.Do(text=text):
                yield from self._do(self._text(text))
            case nodes.Break():
                raise _BreakError
            case nodes.Stop():
                raise _StopError
            case nodes.Note() | nodes.Avoid():
                return

    def _step(self, call: nodes.Call) -> Walk:
        """
        Do a step; one that cannot be done here is passed over, unless the script says what to do then.

        A procedure that was learned from runs that won by trying holds steps that were not needed, and those that were
        are still worth doing.
        """
        try:
            yield from self._call(call)
        except FailedError:
            if self._trying:
                raise

    def _try(self, body: Sequence[nodes.Statement], handler: Sequence[nodes.Statement]) -> Walk:
        self._trying += 1
        try:
            yield from self._block(body)
        except FailedError:
            failed = True
        else:
            failed = False
        finally:
            self._trying -= 1
        if failed:
            yield from self._block(handler)

    def _if(self, statement: nodes.If) -> Walk:
        for branch in statement.branches:
            if self._truth(branch.condition):
                yield from self._block(branch.body)
                return
        yield from self._block(statement.otherwise)

    def _loop(self, statement: nodes.Repeat | nodes.Attempts | nodes.ForEach) -> Walk:
        try:
            if isinstance(statement, nodes.ForEach):
                for item in self._items(statement.items):
                    self._values[statement.variable] = item
                    yield from self._block(statement.body)
            else:
                for _ in range(self._number(statement.count)):
                    yield from self._block(statement.body)
        except _BreakError:
            return
        yield from self._block(statement.otherwise)

    def _find(self, target: str, call: nodes.Call) -> Walk:
        """Search until the thing was seen, the places that the script calls likely first; then its place has a name."""
        args = self._reader.arguments(call)
        if not args:
            raise FailedError
        likely = [item.text for arg in args[1:] if isinstance(arg, nodes.ListLiteral) for item in self._items(arg)]
        self._release()
        yield from self._search(self._value(args[0]), likely)
        place = self._where(self._value(args[0]))
        self._values[target] = Value(place or "", exact=place is not None)

    def _call(self, call: nodes.Call) -> Walk:
        procedure = self._procedures.get(call.name)
        if procedure is None:
            yield from self._act(call)
            return
        if self._depth >= CALLS_MAX:
            raise FailedError
        outer = dict(self._values)
        given = dict(zip((parameter.name for parameter in procedure.parameters), call.args, strict=False))
        given |= {word.name: word.value for word in call.keywords}
        inner = {p.name: p.default for p in procedure.parameters if p.default is not None} | given
        self._values = {name: self._value(value) for name, value in inner.items()}
        self._depth += 1
        try:
            yield from self._block(procedure.body)
        finally:
            self._values, self._depth = outer, self._depth - 1

    def _act(self, call: nodes.Call) -> Walk:
        """Get to where the step can be done, and do it."""
        args = self._reader.arguments(call)
        verb = self._reader.verb(call.name)
        if verb in TAKE:
            self._release()
        for _ in range(APPROACHES_MAX):
            values = [self._value(arg) for arg in args]
            if self._is_done(verb, values):
                return
            if (command := self._best(call.name, values)) is not None:
                yield command
                if not self._notebook.worked:
                    raise FailedError
                self._bind(args, self._reader.read(command))
                if verb in PUT and values:
                    self._put_down(command)
                elif verb not in GO | OPEN | TAKE:
                    self._exploring.treated.update(read(command).things[:1])
                return
            if (step := self._approach(values)) is None:
                break
            yield step
        if not all(self._is_place(value) for value in values):
            raise FailedError

    def _do(self, text: str) -> Walk:
        """Do an untyped step: the command that reads like it, else nothing; words may always be a remark."""
        wanted = read(text.strip().rstrip("."))
        for _ in range(APPROACHES_MAX):
            for command in self._exploring.commands:
                fits = len(command.things) == len(wanted.things) and all(
                    Value(thing).fits(other) for thing, other in zip(wanted.things, command.things, strict=True)
                )
                if fits and command.verb == wanted.verb:
                    yield command.text
                    return
            if not wanted.things or (step := self._approach([Value(thing) for thing in wanted.things])) is None:
                return
            yield step

    # -- the way to a step ---------------------------------------------------------------------------------------

    def _best(self, name: str, values: Sequence[Value]) -> str | None:
        """Return the command that is the step *name* with *values*; None if none can be carried out now."""
        best: dict[tuple[int, ...], list[str]] = {}
        for command in self._exploring.commands:
            reading = self._reader.read(command.text)
            if reading is None or reading.name != name or len(reading.args) != len(values):
                continue
            fits = [value.fits(arg) for value, arg in zip(values, reading.args, strict=True)]
            if not all(fits) or (command.verb in TAKE and self._is_settled(reading.args[0], values)):
                continue
            known = command.verb in GO and command.things[0] in self._notebook.described
            best.setdefault((sum(fits), known), []).append(command.text)
        return self._exploring.pick(best[max(best)]) if best else None

    def _is_settled(self, thing: str, values: Sequence[Value]) -> bool:
        """Return whether *thing* was put where it shall be, and the step does not ask for it back from there."""
        place = self._notebook.placed.get(thing)
        return place is not None and not any(value.exact and value.text == place for value in values[1:])

    def _approach(self, values: Sequence[Value]) -> str | None:
        """Return the next command on the way to where *values* are together; None if there is no way left."""
        notebook = self._notebook
        if any(self._is_unheard_of(value) for value in values):
            return None
        for value in reversed(values):
            if not self._is_place(value):
                continue
            if notebook.place is None or not value.fits(notebook.place):
                places = [place for place in notebook.places if value.fits(place)]
                known = [place for place in places if place in notebook.described and place not in notebook.shut]
                walks = self._exploring.walks(known) or self._exploring.walks(places)
                return self._exploring.pick(walks) if walks else self._open(places)
            return self._open([notebook.place])
        for value in values:
            if self._is_held(value) or self._is_place(value):
                continue
            place = self._where(value)
            if place is None:
                return self._exploring.look_here() or self._exploring.look_further()
            if place != notebook.place:
                walks = self._exploring.walks([place])
                return walks[0] if walks else None
        return None

    def _search(self, sought: Value, likely: Sequence[str]) -> Walk:
        for _ in range(APPROACHES_MAX):
            if self._where(sought) is not None:
                return
            step = self._exploring.look_here() or self._exploring.look_further(likely)
            if step is None:
                break
            yield step
        raise FailedError

    def _open(self, places: Sequence[str]) -> str | None:
        """Return the command that opens one of *places*, if one can be opened from here."""
        for command in self._exploring.commands:
            if command.verb in OPEN and command.things[:1] and command.things[0] in places:
                return command.text
        return None

    def _where(self, value: Value) -> str | None:
        """Return where something is that *value* means: rather here than elsewhere, and not where the task wants it."""
        notebook = self._notebook
        if self._is_held(value):
            return notebook.place
        places = [notebook.seen[thing] for thing in notebook.known(value.text) if value.fits(thing)]
        if not places:
            return None
        return min(places, key=lambda place: (self._exploring.named(place), place != notebook.place))

    def _is_held(self, value: Value) -> bool:
        held = self._notebook.held
        return held is not None and bool(value.fits(held))

    def _is_unheard_of(self, value: Value) -> bool:
        """Return whether neither the task nor an observation named such a thing: there may be none here."""
        return not (self._is_place(value) or self._exploring.named(value.text) or self._where(value))

    def _is_place(self, value: Value) -> bool:
        return any(value.fits(place) for place in self._notebook.places)

    def _is_done(self, verb: str, values: Sequence[Value]) -> bool:
        """Return whether there is nothing to do: one is there already, or holds the thing already."""
        if verb in GO and values:
            return self._notebook.place is not None and bool(values[0].fits(self._notebook.place))
        return verb in TAKE and bool(values) and self._is_held(values[0])

    def _put_down(self, command: str) -> None:
        things = read(command).things
        if len(things) > 1:
            self._notebook.placed[things[0]] = things[-1]

    # -- names and conditions ------------------------------------------------------------------------------------

    def _value(self, expression: nodes.Expression) -> Value:
        """Return what *expression* stands for; written out, a place means itself and a thing any of its kind."""
        match expression:
            case nodes.Name(name=name):
                return self._values.get(name, Value(name.lower()))
            case nodes.TextLiteral() | nodes.FormattedText():
                text = self._text(expression)
                return self._values.get(text, Value(text.lower(), exact=text.lower() in self._notebook.places))
            case nodes.NumberLiteral(value=number):
                return Value(str(number))
            case _:
                return Value("")

    def _text(self, expression: nodes.TextLiteral | nodes.FormattedText) -> str:
        if isinstance(expression, nodes.TextLiteral):
            return expression.value
        return "".join(part if isinstance(part, str) else self._value(part).text for part in expression.parts)

    def _items(self, expression: nodes.Expression) -> list[Value]:
        return [self._value(item) for item in expression.items] if isinstance(expression, nodes.ListLiteral) else []

    def _number(self, expression: nodes.Expression) -> int:
        if isinstance(expression, nodes.NumberLiteral):
            return max(0, int(expression.value))
        text = self._value(expression).text
        return int(text) if text.isdigit() else 1

    def _bind(self, args: Sequence[nodes.Expression], reading: Reading | None) -> None:
        """From now on the arguments mean the very things of the command that was given."""
        for expression, text in zip(args, reading.args if reading else (), strict=False):
            if isinstance(expression, nodes.Name):
                self._values[expression.name] = Value(text.lower(), exact=True)
            elif isinstance(expression, nodes.TextLiteral):
                self._values[expression.value] = Value(text.lower(), exact=True)

    def _release(self) -> None:
        """Let names of things that were put down mean any of their kind again; places keep their names."""
        for name, value in self._values.items():
            if value.exact and value.text in self._notebook.placed:
                self._values[name] = Value(kind(value.text))

    def _avoid(self, call: nodes.Call) -> None:
        values = [self._value(arg) for arg in self._reader.arguments(call)]

        def avoids(text: str) -> bool:
            found = self._reader.read(text)
            return (
                found is not None
                and found.name == call.name
                and len(found.args) == len(values)
                and all(value.fits(arg) for value, arg in zip(values, found.args, strict=True))
            )

        self._exploring.avoided.append(avoids)

    def _truth(self, expression: nodes.Expression) -> bool | None:
        """Return whether *expression* holds as far as was seen; None if nothing was seen that tells."""
        match expression:
            case nodes.BoolLiteral(value=value):
                return value
            case nodes.Not(operand=operand):
                truth = self._truth(operand)
                return None if truth is None else not truth
            case nodes.Both(operands=operands):
                truths = [self._truth(operand) for operand in operands]
                return False if False in truths else None if None in truths else True
            case nodes.Either(operands=operands):
                truths = [self._truth(operand) for operand in operands]
                return True if True in truths else None if None in truths else False
            case nodes.Compare(left=left, operator=operator, right=right):
                return self._compare(left, operator, right)
            case nodes.Call():
                return self._condition(expression)
            case _:
                return None

    def _compare(self, left: nodes.Expression, operator: str, right: nodes.Expression) -> bool | None:
        one = self._value(left).text
        if operator in ("in", "not in"):
            return any(item.fits(one) for item in self._items(right)) == (operator == "in")
        if operator in ("==", "!="):
            return (one == self._value(right).text) == (operator == "==")
        return None

    def _condition(self, call: nodes.Call) -> bool | None:
        """Return whether the last description of the place that *call* is about says so."""
        values = [self._value(arg) for arg in self._reader.arguments(call)]
        args = tuple(value.text for value in values)
        seen = self._notebook.seen
        if len(args) > 1 and any(values[-1].fits(seen[thing]) for thing in seen if values[0].fits(thing)):
            return True
        sayings = self._reader.spoken(call.name, args)
        if values and any(word in HELD_WORDS for said in sayings for word in said.split()):
            return self._is_held(values[0])
        description = self._notebook.described.get(args[-1]) if args else None
        if description is None:
            return None
        if any(said in description.lower() for said in sayings):
            return True
        return False if len(args) == 1 else None
