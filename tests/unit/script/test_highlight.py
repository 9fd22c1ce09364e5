"""Tokens with what they are."""

from __future__ import annotations

from memp.script import Token, highlight, load_toolset, to_terminal

household = load_toolset("household")


def test_words_are_told_apart_by_the_toolset() -> None:
    """Actions, conditions, finders, types and words of the language each have their kind."""
    tokens = highlight(
        'spot = find(thing)  # where\nif not closed(spot):\n    take("mug 1", 2); stop("x")\n', household
    )
    kinds = {token.text: token.kind for token in tokens if token.kind not in ("space", "sign")}
    assert kinds == {
        "spot": "name",
        "find": "finder",
        "thing": "name",
        "# where": "comment",
        "if": "keyword",
        "not": "keyword",
        "closed": "condition",
        "take": "action",
        '"mug 1"': "text",
        "2": "number",
        "stop": "statement",
        '"x"': "text",
    }
    assert Token("decorator", "@procedure") in highlight("@procedure('x')")
    assert Token("type", "Object") in highlight("x: Object", household)
    assert Token("name", "Object") in highlight("x: Object")


def test_the_terminal_gets_colours() -> None:
    """Coloured text holds the source and resets every colour that it sets."""
    shown = to_terminal(highlight("take(x)", household))
    assert shown == "\x1b[34mtake\x1b[0m(x)"


def test_broken_sources_are_shown_too() -> None:
    """What cannot be parsed can be highlighted."""
    source = 'def (\n"""never closed'
    assert "".join(token.text for token in highlight(source)) == source
