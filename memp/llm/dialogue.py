"""
Asking until the answer can be used: what is wrong with it goes back to the model, a bounded number of times.

The answer goes back as the model gave it and the complaint below it, because a model that sees its own line with the
caret under the mistake mends that line, and one that is asked anew makes another mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from memp.build.distil import NotUsableError
from memp.errors import ModelAnswerError, ScriptError
from memp.llm.base import Message
from memp.llm.client import Client, Talk
from memp.llm.questions import Question

if TYPE_CHECKING:
    from pydantic import BaseModel

    ShapeT = TypeVar("ShapeT", bound=BaseModel)

T = TypeVar("T")

ROUNDS_MAX = 3
"""How often one question is asked with complaints about the answers before it: what a model has not mended after two,
it does not mend."""

COMPLAINT_CHARACTERS_MAX = 4000
"""Characters of a complaint that go back: the first mistakes are the ones that make the others."""


def agreed(
    client: Client,
    question: Question,
    shape: type[ShapeT],
    check: Callable[[ShapeT], T],
    talk: Talk,
    *,
    rounds: int = ROUNDS_MAX,
) -> T:
    """
    Return what *check* makes of an answer that it does not complain about.

    Args:
        client: Whom to ask.

        question: What.

        shape: The form of the answer, a class of pydantic's.

        check: Turns an answer into a value, or raises ``ScriptError`` or ``NotUsableError`` with what is wrong.

        talk: Where the requests are noted.

        rounds: How often to ask at most, 1 or more.

    Raises:
        ModelError: The model could not be asked, or refused; ``ModelAnswerError`` after the last round.
    """
    talk.template = question.template
    messages = [Message("user", question.text)]
    for left in range(rounds - 1, -1, -1):
        try:
            filled, answer = client.ask(messages, shape, talk)
            return check(filled)
        except ModelAnswerError as error:
            answer, complaint = error.answer, error.complaint
            if not left:
                raise
        except (ScriptError, NotUsableError) as error:
            complaint = _cut(str(error))
            talk.complain(complaint)
            if not left:
                first = complaint.splitlines()[0]
                raise ModelAnswerError(
                    f"{client.model.name!r} gave nothing of use in {rounds} tries. The last: {first}",
                    model=client.model.name,
                    answer=answer,
                    complaint=complaint,
                ) from error
        messages += [
            Message("assistant", answer or "(nothing)"),
            Message("user", f"This cannot be used:\n\n{complaint}\n\nAnswer again, whole and in the same form."),
        ]
    raise AssertionError("the last round returns or raises")


def _cut(text: str) -> str:
    return text if len(text) <= COMPLAINT_CHARACTERS_MAX else f"{text[: COMPLAINT_CHARACTERS_MAX - 1]}…"
