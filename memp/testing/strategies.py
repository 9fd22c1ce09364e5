"""
Hypothesis strategies for toolsets and scripts, and memories fed with records.

Whoever writes a builder or a renderer wants to try it on scripts that nobody thought of. Hypothesis is imported here
and nowhere else in the package.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import attrs
from hypothesis import strategies as st

from memp.script.nodes import (
    Act,
    Attempts,
    Avoid,
    BoolLiteral,
    Both,
    Branch,
    Break,
    Call,
    Compare,
    Do,
    Either,
    Ensure,
    Expression,
    Find,
    ForEach,
    FormattedText,
    If,
    Keyword,
    ListLiteral,
    Name,
    Not,
    Note,
    NullLiteral,
    NumberLiteral,
    Parameter,
    ProcedureDef,
    RecordLiteral,
    Repeat,
    Script,
    Statement,
    Stop,
    TextLiteral,
    Try,
    formatted,
)
from memp.script.toolset import Action, AnyEntry, Condition, Finder, Form, ToolClass, Toolset
from memp.script.type_rules import TypeRules
from memp.script.types import BOOL, NUMBER, TEXT, ListType, LiteralType, NamedType, Type

if TYPE_CHECKING:
    from memp.memory import Memory
    from memp.record import Record

__all__ = ["calls", "memory_fed_with", "scripts", "texts", "things", "toolsets"]

T = TypeVar("T")
Draw: TypeAlias = Callable[[st.SearchStrategy[T]], T]
Names: TypeAlias = dict[str, Type]

_WORDS = ("lift", "turn", "carry", "press", "paint", "fold", "count", "rinse", "stack", "mend")
_THINGS = ("mug", "lamp", "red box", "pot", "jar of salt", "key")
_PARAMETERS = ("item", "target", "amount", "label", "spot", "extra")


def memory_fed_with(records: Iterable[Record], memory: Memory) -> Memory:
    """
    Return a memory in memory that was fed *records* and nothing else: what would be without the others.

    Args:
        records: In order, taken from *memory*; those that they refer to may be missing.

        memory: Where the embeddings come from.
    """
    from memp.embedding import HashedEmbedder, generation
    from memp.index import ExactIndex
    from memp.log import Identity, MemoryLog, VectorKey
    from memp.memory import Memory
    from memp.rendering import Renderer
    from memp.store import Store

    embedder = HashedEmbedder()
    name = generation(embedder)
    vectors = {VectorKey(name, text): vector for text, vector in memory._store.log.vectors(name)}
    store = Store(
        MemoryLog.holding(records, vectors),
        embedder=embedder,
        make_index=ExactIndex,
        identity=Identity(),
        renderer=Renderer.load(),
        own_templates=False,
        read_only=False,
    )
    return Memory(store, actor="test", owner=False)


def texts(*, min_size: int = 0, max_size: int = 20) -> st.SearchStrategy[str]:
    """Return texts of any characters that UTF-8 can hold, quotes, braces, backslashes and line ends among them."""
    odd = st.sampled_from(
        ['"', "'", '"""', "{", "}", "{{", "\\", "\n", "\r\n", "\t", "#", "é", "\u202e", "\U0001f600", " "]
    )
    plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
    parts = st.lists(st.one_of(odd, plain, st.sampled_from(_WORDS)), max_size=max_size // 3)
    return parts.map(lambda pieces: "".join(pieces)[:max_size]).filter(lambda text: len(text) >= min_size)


def sayings() -> st.SearchStrategy[str]:
    """Return texts that hold more than white space."""
    return texts(min_size=1).filter(lambda text: bool(text.strip()))


def things() -> st.SearchStrategy[str]:
    """Return names of things as environments write them, such as ``mug 3``."""
    return st.tuples(st.sampled_from(_THINGS), st.integers(1, 20)).map(lambda pair: f"{pair[0]} {pair[1]}")


# -- toolsets ---------------------------------------------------------------------------------------------------------


@st.composite
def toolsets(draw: Draw[Any]) -> Toolset:
    """Return small toolsets with classes, records, forms in words and in JSON, dialects, conditions and finders."""
    named = tuple(
        ToolClass(name=name, doc=draw(texts(max_size=12)), parent=parent)
        for name, parent in (("Thing", None), ("Spot", draw(st.sampled_from([None, "Thing"]))))
    )
    records = (
        ToolClass(
            name="Row",
            fields=(Parameter(name="label", type=TEXT), Parameter(name="amount", type=NUMBER, default=NullLiteral())),
            open=draw(st.booleans()),
        ),
        ToolClass(name="Json", open=True),
    )
    kinds: tuple[Type, ...] = (TEXT, NUMBER, BOOL, NamedType("Thing"), NamedType("Spot"), LiteralType(("slow", "fast")))
    complex_kinds: tuple[Type, ...] = (
        *kinds,
        NamedType("Row"),
        NamedType("Json"),
        ListType(TEXT),
        ListType(NamedType("Row")),
    )
    words = draw(st.permutations(_WORDS))
    actions = [_word_action(draw, word, kinds) for word in words[: draw(st.integers(1, 4))]]
    actions += [_json_action(draw, word, complex_kinds) for word in words[4 : 4 + draw(st.integers(0, 2))]]
    conditions = [
        Condition(
            name=f"is_{word}",
            forms=(Form(text=f"{{item}} is {word}ed"),),
            parameters=(Parameter(name="item", type=kind),),
        )
        for word, kind in zip(words[6:8], draw(st.permutations(kinds)), strict=False)
    ]
    likely = Parameter(name="likely", type=ListType(TEXT), default=ListLiteral(items=()))
    finder = Finder(
        name="seek",
        forms=(Form(text="look for {item}"),),
        parameters=(Parameter(name="item", type=NamedType("Thing")), likely),
        returns=draw(st.sampled_from([NamedType("Spot"), ListType(NamedType("Thing"))])),
        by=(actions[0].name,),
    )
    return Toolset(
        name="workshop",
        doc=draw(texts()),
        classes=(*named, *records),
        actions=tuple(_with_effects(draw, actions)),
        conditions=tuple(conditions),
        finders=(finder,),
        no_effect=draw(st.sampled_from([(), ("Nothing changes.",), ("No *", "Not *")])),
    )


def _with_effects(draw: Draw[Any], actions: Sequence[Action]) -> Iterator[Action]:
    """Yield *actions*, some of which take back or override another one."""
    for action in actions:
        same = [a.name for a in actions if a.parameters and len(a.parameters) == len(action.parameters)]
        some = [a.name for a in actions if a.parameters and action.parameters]
        yield attrs.evolve(
            action,
            undoes=tuple(draw(st.lists(st.sampled_from(same), max_size=1))) if same else (),
            overrides=tuple(draw(st.lists(st.sampled_from(some), max_size=2, unique=True))) if some else (),
        )


def _word_action(draw: Draw[Any], word: str, kinds: tuple[Type, ...]) -> Action:
    count = draw(st.integers(0, 3))
    types = [draw(st.sampled_from(kinds)) for _ in range(count)]
    parameters = tuple(Parameter(name=name, type=type_) for name, type_ in zip(_PARAMETERS, types, strict=False))
    joints = ("", " beside ", " until ")
    text = word + "".join(f"{joint or ' '}{{{p.name}}}" for joint, p in zip(joints, parameters, strict=False))
    forms = [Form(text=text)]
    if draw(st.booleans()):
        forms.append(Form(text=text.replace(word, f"please {word}", 1), dialect="polite"))
    return Action(
        name=f"{word}_it",
        forms=tuple(forms),
        parameters=parameters,
        doc=draw(texts(max_size=9)),
        observing=draw(st.booleans()),
        no_effect=draw(st.sampled_from([(), ("It stays as it was.",)])),
    )


def _json_action(draw: Draw[Any], word: str, kinds: tuple[Type, ...]) -> Action:
    types = draw(st.lists(st.sampled_from(kinds), max_size=4))
    optional = sorted(draw(st.booleans()) for _ in types)
    parameters = tuple(
        Parameter(
            name=name,
            type=type_,
            default=NullLiteral() if free else None,
            key=draw(st.sampled_from([None, f"{name}-key"])),
        )
        for name, type_, free in zip(_PARAMETERS, types, optional, strict=False)
    )
    return Action(name=word, forms=(Form(text=f"{word}-tool({{...}})"),), parameters=parameters)


# -- expressions ------------------------------------------------------------------------------------------------------


class _Maker:
    """Draws the parts of scripts that check against a toolset."""

    def __init__(self, draw: Draw[Any], toolset: Toolset) -> None:
        self.draw = draw
        self.toolset = toolset
        self.rules = TypeRules(toolset)
        self.count = 0

    def literal(self, type_: Type) -> Expression:
        draw = self.draw
        match type_:
            case ListType(item):
                return ListLiteral(items=tuple(self.literal(item) for _ in range(draw(st.integers(0, 2)))))
            case LiteralType(values):
                return TextLiteral(value=draw(st.sampled_from(values)))
            case NamedType("Text"):
                return TextLiteral(value=draw(texts()))
            case NamedType("Number"):
                numbers = st.one_of(st.integers(-(2**62), 2**62), st.floats(allow_nan=False, allow_infinity=False))
                return NumberLiteral(value=draw(numbers))
            case NamedType("Bool"):
                return BoolLiteral(value=draw(st.booleans()))
            case NamedType(name):
                return self._thing(name)

    def _thing(self, name: str) -> Expression:
        found = self.toolset.find_class(name)
        if found is not None and found.fields:
            given = [f for f in found.fields if f.default is None or self.draw(st.booleans())]
            return RecordLiteral(entries=tuple((field.wire, self.literal(field.type)) for field in given))
        if found is not None and found.open:
            return self.literal(self.draw(st.sampled_from([TEXT, NUMBER, BOOL, ListType(NUMBER)])))
        return TextLiteral(value=self.draw(things()))

    def value(self, type_: Type, names: Names) -> Expression:
        """Draw a name that fits, an f-string or a literal."""
        fitting = [name for name, found in names.items() if self.rules.fits(found, type_)]
        if fitting and self.draw(st.booleans()):
            return Name(name=self.draw(st.sampled_from(fitting)))
        if (
            names
            and self.rules.is_written_as_text(type_)
            and not isinstance(type_, LiteralType)
            and self.draw(st.booleans())
        ):
            return self.words(names)
        return self.literal(type_)

    def words(self, names: Names) -> TextLiteral | FormattedText:
        parts: list[str | Name] = [self.draw(sayings())]
        if names and self.draw(st.booleans()):
            parts += [Name(name=self.draw(st.sampled_from(sorted(names)))), self.draw(texts(max_size=6))]
        return formatted(parts)

    def call(self, entry: AnyEntry, names: Names) -> Call:
        given = [p for p in entry.parameters if p.default is None or self.draw(st.booleans())]
        by_place = 0
        while by_place < len(given) and given[by_place] == entry.parameters[by_place] and self.draw(st.booleans()):
            by_place += 1
        values = [self.value(parameter.type, names) for parameter in given]
        keywords = [Keyword(name=p.name, value=v) for p, v in zip(given[by_place:], values[by_place:], strict=True)]
        return Call(name=entry.name, args=tuple(values[:by_place]), keywords=tuple(keywords))

    def condition(self, names: Names, depth: int = 2) -> Expression:
        kinds = ["call", "compare", "in"] + (["not", "and", "or"] if depth else [])
        match self.draw(st.sampled_from(kinds)):
            case "not":
                return Not(operand=self.condition(names, depth - 1))
            case "and" | "or" as word:
                kind = Both if word == "and" else Either
                operands = [self.condition(names, depth - 1) for _ in range(2)]
                flat = [
                    part
                    for operand in operands
                    for part in (operand.operands if isinstance(operand, kind) else (operand,))
                ]
                return kind(operands=tuple(flat))
            case "compare":
                operator = self.draw(st.sampled_from(["==", "!=", "<", "<=", ">", ">="]))
                return Compare(left=self.value(NUMBER, names), operator=operator, right=self.value(NUMBER, names))
            case "in":
                right = self.value(ListType(TEXT), names)
                return Compare(
                    left=self.literal(TEXT), operator=self.draw(st.sampled_from(["in", "not in"])), right=right
                )
            case _ if self.toolset.conditions:
                return self.call(self.draw(st.sampled_from(self.toolset.conditions)), names)
            case _:
                return BoolLiteral(value=self.draw(st.booleans()))

    # -- statements ---------------------------------------------------------------------------------------------------

    def fresh(self) -> str:
        self.count += 1
        return f"found_{self.count}"

    def block(self, names: Names, *, depth: int, in_loop: bool) -> tuple[Statement, ...]:
        inner = dict(names)
        return tuple(self.statement(inner, depth=depth, in_loop=in_loop) for _ in range(self.draw(st.integers(1, 3))))

    def statement(self, names: Names, *, depth: int, in_loop: bool) -> Statement:
        simple = ["act", "act", "find", "ensure", "avoid", "note", "do", "stop"] + (["break"] if in_loop else [])
        kind = self.draw(st.sampled_from(simple + (["if", "for", "times", "attempts", "try"] if depth else [])))
        match kind:
            case "act":
                return Act(call=self.call(self.draw(st.sampled_from(self.toolset.actions)), names))
            case "find" if self.toolset.finders:
                return self._find(names)
            case "ensure":
                return Ensure(condition=self.condition(names), why=self.words(names))
            case "avoid":
                call = self.call(self.draw(st.sampled_from(self.toolset.actions)), names)
                return Avoid(what=call if self.draw(st.booleans()) else self.words(names), because=self.words(names))
            case "note":
                return Note(text=self.words(names))
            case "stop":
                return Stop(reason=self.words(names))
            case "break":
                return Break()
            case "if" | "for" | "times" | "attempts" | "try":
                return self._compound(kind, names, depth=depth - 1, in_loop=in_loop)
            case _:
                return Do(text=self.words(names))

    def _find(self, names: Names) -> Find:
        entry = self.draw(st.sampled_from(self.toolset.finders))
        call, target = self.call(entry, names), self.fresh()
        names[target] = entry.returns
        return Find(target=target, call=call)

    def _compound(self, kind: str, names: Names, *, depth: int, in_loop: bool) -> Statement:
        def block(*, loop: bool = in_loop) -> tuple[Statement, ...]:
            return self.block(names, depth=depth, in_loop=loop)

        def otherwise() -> tuple[Statement, ...]:
            return block() if self.draw(st.booleans()) else ()

        match kind:
            case "if":
                count = self.draw(st.integers(1, 2))
                branches = tuple(Branch(condition=self.condition(names), body=block()) for _ in range(count))
                return If(branches=branches, otherwise=otherwise())
            case "for":
                item = self.draw(st.sampled_from([TEXT, NamedType(self.toolset.classes[0].name)]))
                items, variable = self.value(ListType(item), names), self.fresh()
                body = self.block({**names, variable: item}, depth=depth, in_loop=True)
                return ForEach(variable=variable, items=items, body=body, otherwise=otherwise())
            case "times" | "attempts":
                loop = Repeat if kind == "times" else Attempts
                count_node = NumberLiteral(value=self.draw(st.integers(1, 9)))
                return loop(count=count_node, body=block(loop=True), otherwise=otherwise())
            case _:
                return Try(body=block(), handler=block())

    def procedure(self, name: str) -> ProcedureDef:
        kinds: list[Type] = [TEXT, NUMBER, BOOL, ListType(TEXT)]
        kinds += [NamedType(tool_class.name) for tool_class in self.toolset.classes if not tool_class.is_record]
        types = self.draw(st.lists(st.sampled_from(kinds), max_size=3))
        parameters = tuple(Parameter(name=n, type=t) for n, t in zip(_PARAMETERS, types, strict=False))
        words = self.draw(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=3, unique=True))
        slots = "".join(f" {{{parameter.name}}}" for parameter in parameters)
        return ProcedureDef(
            name=name,
            patterns=tuple(f"{word} it{slots}" for word in words),
            parameters=parameters,
            doc=self.draw(texts()),
            body=self.block({p.name: p.type for p in parameters}, depth=2, in_loop=False),
        )


@st.composite
def calls(draw: Draw[Any], toolset: Toolset) -> Call:
    """Return calls of the actions of *toolset* with literal arguments."""
    return _Maker(draw, toolset).call(draw(st.sampled_from(toolset.actions)), {})


@st.composite
def scripts(draw: Draw[Any], toolset: Toolset, *, procedures_max: int = 2) -> Script:
    """
    Return scripts that check against *toolset*, with every statement and expression of the language.

    Args:
        draw: Given by Hypothesis.

        toolset: What they speak; must have an action and a class.

        procedures_max: How many procedures at most, from 1.
    """
    count = draw(st.integers(1, procedures_max))
    made = tuple(_Maker(draw, toolset).procedure(f"procedure_{index + 1}") for index in range(count))
    return Script(toolset=draw(st.sampled_from([None, toolset.name])), doc=draw(texts()), procedures=made)
