"""
Task patterns: what a task asks for, with the names of the things it is about left open.

``put a hot mug in the cabinet`` and ``put a hot egg on the shelf`` ask for the same; ``put a cool mug in the cabinet``
shares more words with the first and asks for something else. So procedures are compared by tasks in which names are
slots: ``put a hot {} in the {}``.

Which words are names is read from the run alone: what its actions handled. Comparing tasks with each other and masking
what varies was not taken: the mask would then depend on which tasks came before, so the same runs in another order, or
a version of the memory that holds fewer of them, would give other patterns. A question has no run; in it every word
that no pattern of the memory knows is a name (``mask_query``), an object never seen before included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from memp.model import Trajectory

SLOT: Final = "{}"
"""What stands for a name."""

FUNCTION_WORDS: Final = frozenset(
    {
        # Articles, pronouns, conjunctions, auxiliaries.
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "it",
        "its",
        "them",
        "they",
        "he",
        "she",
        "his",
        "her",
        "their",
        "there",
        "i",
        "me",
        "my",
        "we",
        "our",
        "you",
        "your",
        "and",
        "or",
        "but",
        "if",
        "then",
        "so",
        "as",
        "not",
        "no",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "do",
        "does",
        "did",
        "done",
        "has",
        "have",
        "had",
        "will",
        "would",
        "can",
        "could",
        "should",
        "may",
        # Prepositions and the particles of phrasal verbs: "pick up", "turn on".
        "to",
        "of",
        "in",
        "on",
        "at",
        "by",
        "for",
        "from",
        "with",
        "without",
        "into",
        "onto",
        "inside",
        "under",
        "over",
        "off",
        "up",
        "down",
        "out",
        "about",
        "around",
        "near",
        "through",
        # Amounts are part of what is asked: "put two mugs" is another kind of task than "put a mug".
        "some",
        "any",
        "all",
        "both",
        "each",
        "every",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "more",
        "most",
        "first",
        "second",
        "last",
        "what",
        "which",
        "who",
        "whom",
        "whose",
        "when",
        "where",
        "why",
        "how",
        "please",
    }
)
"""English words that never name a thing."""

NAME_WORDS_MAX: Final = 6
"""Words of one argument. A longer one is a sentence (an answer, a message) and would mask what the task asks for."""

SHORT_NAME_WORDS_MAX: Final = 2
"""Words of a name, in brackets or JSON, of which each one alone stands for it in the task: "Jonny Craig", "Craig"."""

ACTION_WORDS_MAX: Final = 12
"""Words of an action in plain words, the verb included; a longer one is a thought written as an action."""

STEM_LETTERS_MIN: Final = 3
"""Letters that an ending leaves behind; with fewer, "bed" and "is" would be inflections of something."""

JOINED_WORDS_MAX: Final = 3
"""Neighbouring words that may be one word elsewhere: "dining table" and "diningtable"."""

CAPITALS_SHARE: Final = 0.5
"""Where more of a text's words than this start with a capital, it is a headline, and capitals do not tell names."""

SPEAKING_VERBS: Final = frozenset({"think", "thought", "say", "respond", "answer", "finish", "reflect"})
"""First words of actions that speak rather than act: what follows is about the task, not a thing that was handled."""

QUOTED_LETTERS_MAX: Final = 200
"""Letters between two quotation marks that are still a quotation; keeps the search for the second mark linear."""

_QUOTED: Final = f"{{1,{QUOTED_LETTERS_MAX}}}"
# Spaces and words of letters alone come first, though other kinds below would leave them to theirs: they are nearly
# all there is, and a word tries everything that stands before it.
_TOKEN = re.compile(
    rf"""
    (?P<space>\s+)
  | (?P<letters>[^\W\d_]+(?![\w'\u2019]))
  | (?P<slot>\{{[^{{}}\s]{{0,100}}\}})
  | (?P<quoted>"[^"\n]{_QUOTED}" | “[^”\n]{_QUOTED}” | `[^`\n]{_QUOTED}` | (?<!\w)'[^'\n]{_QUOTED}'(?!\w))
  | (?P<number>(?<!\w)[-+]?[$€£]?\w*\d(?:[\w.,:/%-]*[\w%])?)
  | (?P<word>[^\W_]+(?:['\u2019][^\W_]+)*)
  | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_SLOT_OR_WORD = re.compile(rf"\{{[^{{}}\s]{{0,100}}\}}|{_WORD.pattern}")
_BRACKETED = re.compile(r"^\s*(\w+)\s*\[(.*)\]\s*$", re.DOTALL)
_FIRST_PERSON = re.compile(r"I(?:['\u2019]\w+)?")
_SENTENCE_END = frozenset(".!?:")
_ABBREVIATION = re.compile(r"[A-Z][a-z]{0,2}")  # "St. Petersburg", "J. Smith": this full stop ends no sentence


_Token = tuple[str, str, bool]
"""
A piece of a task: its kind (a group of ``_TOKEN``, but ``word`` for ``letters``), its text, and whether a sentence
starts with it. A bare tuple, because a question makes twenty of them.
"""


def task_pattern(trajectory: Trajectory) -> str:
    """
    Return the task of *trajectory* with the names of what it handled as slots.

    A slot takes the place of: words that are arguments of the run's actions (all but the first word, in brackets, or
    values of JSON), in the singular or plural, written together or apart; quoted texts; words with digits; capitalised
    words inside a sentence. Never of words of grammar and amounts, nor of a word that starts one of the actions: that
    is what the task asks for. Neighbouring slots become one; slots that were there stay, with their names. Runs of
    white space become one space.

    Args:
        trajectory: Any run; one without steps masks what its task alone tells (quotes, digits, capitals).

    Returns:
        The pattern; the plain task where nothing but slots and words of grammar would be left. The same run gives the
        same pattern, whatever else was learned.
    """
    names, verbs = _arguments(trajectory.actions)
    kept = verbs | FUNCTION_WORDS

    def is_name(word: str) -> bool:
        forms = _forms(word)
        return not names.isdisjoint(forms) and kept.isdisjoint(forms)

    return _masked(trajectory.task, is_name, joined=names)


def mask_query(task: str, fixed: frozenset[str]) -> str:
    """
    Return *task* with every word as a slot that no pattern of the memory knows.

    Args:
        task: What is asked now.

        fixed: The words of all live patterns, as ``pattern_words`` gives them.

    Returns:
        The masked task; the plain task where no word that *fixed* holds would be left beside words of grammar, for
        then the patterns say nothing about it and its own words are the better clue.
    """

    def is_name(word: str) -> bool:
        # Two questions rather than one to the union: *fixed* may hold ten thousand words.
        forms = _forms(word)
        return fixed.isdisjoint(forms) and FUNCTION_WORDS.isdisjoint(forms)

    return _masked(task, is_name, joined=frozenset())


@lru_cache(maxsize=1 << 14)
def pattern_words(pattern: str) -> frozenset[str]:
    """Return the words of *pattern* outside its slots, in lower case and in every form that counts as the same word."""
    return frozenset(form for word in _words(pattern) if word != SLOT for form in _forms(word))


def normal_pattern(pattern: str) -> str:
    """
    Return what of *pattern* is compared: words in lower case, slots without names, neither signs nor spaces twice.

    ``Put a hot {thing} in {target}.`` and ``put a hot {} in {}`` are the same pattern: they share one text and one
    vector. A pattern without any word or slot stays as it is.
    """
    return " ".join(_words(pattern)) or pattern


def _words(pattern: str) -> Iterator[str]:
    """Yield the words of *pattern* in lower case, and ``{}`` for each slot."""
    for piece in _SLOT_OR_WORD.findall(pattern.casefold()):
        yield SLOT if piece.startswith("{") else piece


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    starts = True
    for match in _TOKEN.finditer(text):
        kind, piece = str(match.lastgroup), match.group()
        if kind == "letters":
            kind = "word"
        tokens.append((kind, piece, starts))
        if kind == "space":
            starts = starts or "\n" in piece
        elif kind == "sign":
            starts = piece in _SENTENCE_END and not (piece == "." and _is_abbreviation(tokens[-2:-1]))
        else:
            starts = False
    return tokens


def _is_abbreviation(tokens: list[_Token]) -> bool:
    """Return whether *tokens* is a single one, and a word after which a full stop ends no sentence."""
    return any(kind == "word" and _ABBREVIATION.fullmatch(piece) is not None for kind, piece, _ in tokens)


def _masked(task: str, is_name: Callable[[str], bool], *, joined: frozenset[str]) -> str:
    """
    Return *task* with slots for quotes, digits, capitalised names, and the words for which *is_name* is true.

    Args:
        joined: Names that may stand in the task as several words.
    """
    tokens = _tokens(task)
    capitals_tell = _capitals_tell_names(tokens)
    open_places = _joined_places(tokens, joined)
    pieces: list[str] = []
    telling = False
    for place, (kind, piece, starts) in enumerate(tokens):
        if kind == "space":
            pieces.append(" ")
        elif kind in ("slot", "sign"):
            pieces.append(piece)
        elif (
            kind in ("quoted", "number")
            or place in open_places
            or (capitals_tell and not starts and _is_capitalised_name(piece))
            or is_name(piece.casefold())
        ):
            pieces.append(SLOT)
        else:
            telling = telling or piece.casefold() not in FUNCTION_WORDS
            pieces.append(piece)
    text = "".join(pieces) if telling else "".join(" " if kind == "space" else piece for kind, piece, _ in tokens)
    return _MERGED_SLOTS.sub(SLOT, text).strip() or task


_MERGED_SLOTS = re.compile(r"\{\}(?:[\s_'\u2019-]*\{\})+")


def _capitals_tell_names(tokens: list[_Token]) -> bool:
    capitals = [piece[0].isupper() for kind, piece, _ in tokens if kind == "word"]
    return sum(capitals) <= CAPITALS_SHARE * len(capitals)


def _is_capitalised_name(word: str) -> bool:
    """Return whether *word*, which starts no sentence, has a capital that the pronoun "I" does not explain."""
    return word[0].isupper() and _FIRST_PERSON.fullmatch(word) is None


def _joined_places(tokens: list[_Token], names: frozenset[str]) -> set[int]:
    """Return the places of neighbouring words that together are one of *names*: "dining table" for "diningtable"."""
    if not names:
        return set()
    places = [place for place, (kind, _, _) in enumerate(tokens) if kind == "word"]
    found: set[int] = set()
    for length in range(2, JOINED_WORDS_MAX + 1):
        for start in range(len(places) - length + 1):
            window = places[start : start + length]
            apart = all(tokens[place][0] in ("word", "space") for place in range(window[0], window[-1] + 1))
            if apart and _forms("".join(tokens[place][1].casefold() for place in window)) & names:
                found.update(window)
    return found


def _arguments(actions: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the names that *actions* handle, in every form and joined with their neighbours, and their first words."""
    names: set[str] = set()
    verbs: set[str] = set()
    for action in actions:
        words = _WORD.findall(action.casefold())
        if not words or words[0] in SPEAKING_VERBS:
            continue
        verbs |= _forms(words[0])
        for phrase, shortest in _phrases(action, words):
            for length in range(shortest, JOINED_WORDS_MAX + 1):
                for start in range(len(phrase) - length + 1):
                    names |= _forms("".join(phrase[start : start + length]))
    return frozenset(names), frozenset(verbs)


def _phrases(action: str, words: list[str]) -> Iterator[tuple[list[str], int]]:
    """
    Yield the arguments of *action* as lists of words, each with how many of them name it: one, or two together.

    What is too long to be a name is left out. In a long name ("The Three Different Cities Inn") no single word names
    the thing; in an action in plain words it does ("take metal pot": the task may say "the pot").
    """
    bracketed = _BRACKETED.match(action)
    start = action.find("{")
    if bracketed:
        values: Iterable[str] = [bracketed.group(2)]
    elif start >= 0 and (parsed := _json(action[start:])) is not None:
        values = _values(parsed)
    else:
        if len(words) <= ACTION_WORDS_MAX:
            yield from ((phrase, 1) for phrase in _split(words[1:]))
        return
    for value in values:
        inside = _WORD.findall(value.casefold())
        if len(inside) <= NAME_WORDS_MAX:
            yield from ((phrase, 1 if len(inside) <= SHORT_NAME_WORDS_MAX else 2) for phrase in _split(inside))


def _split(words: list[str]) -> Iterator[list[str]]:
    """Split *words* into phrases at words of grammar and at numbers, which are left out."""
    phrase: list[str] = []
    for word in words:
        if word in FUNCTION_WORDS or word.isdigit():
            if phrase:
                yield phrase
            phrase = []
        else:
            phrase.append(word)
    if phrase:
        yield phrase


def _json(text: str) -> Any | None:
    """Return the JSON object at the start of *text*; None if there is none."""
    try:
        return json.JSONDecoder().raw_decode(text)[0]
    except (ValueError, RecursionError):
        return None


def _values(value: Any) -> Iterator[str]:
    """Yield the texts among the values of a JSON value; keys are the tool's words, not the task's."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _values(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner)


@lru_cache(maxsize=1 << 14)
def _forms(word: str) -> frozenset[str]:
    """
    Return *word* and what it may be an inflection of: plural, past, present participle.

    Two words count as one if they share a form. Rules of spelling rather than a stemmer: they only ever add what a
    dictionary would list, and a wrong extra form ("bus", "bu") harms only if another word is spelled so.
    """
    forms = {word}
    for ending, replacements in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= STEM_LETTERS_MIN:
            forms.update(stem + replacement for replacement in replacements)
            if stem[-1] == stem[-2]:
                forms.add(stem[:-1])  # "putting", "stopped"
    return frozenset(forms)


_ENDINGS: Final = (
    ("'s", ("",)),
    ("\u2019s", ("",)),
    ("ies", ("y",)),
    ("ves", ("f", "fe")),
    ("es", ("", "e")),
    ("s", ("",)),
    ("ed", ("", "e")),
    ("ing", ("", "e")),
)
