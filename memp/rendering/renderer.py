"""
From procedures to the block of text that an agent is given.

The block says of itself that it is recalled data; what is recalled cannot end it, because whatever looks like one of
its marks is changed in the values before a template sees them. It is measured whole against its budget, so that the
budget holds whatever a template adds; estimating the parts and adding them up would be faster and sometimes wrong.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from memp import _resources
from memp.errors import InvalidInputError, TemplateError
from memp.model import canonical_bytes
from memp.rendering.passages import Passage, shorter, shorter_levels
from memp.rendering.ready import safe_passage, safe_text
from memp.rendering.tokens import EstimatedTokens, TokenCounter

if TYPE_CHECKING:
    from memp.rendering.sandbox import PromptEnvironment

STYLES: Final = ("steps", "prose", "code")
"""The styles that ship; a user's folder may add ``prompt_<style>.j2``."""

TEMPLATE_CHARACTERS_MAX: Final = 100_000
"""Characters of one template; the longest that ships has 2,000."""

_TEMPLATE_NAME = re.compile(r"prompt(?:_([a-z0-9]+))?\.j2")


class Renderer:
    """
    One set of templates, ready to render.

    Safe to use from many threads.

    Attributes:
        text: All its templates as one text, as they go on record.

        digest: Hex SHA-256 of ``text`` in UTF-8.
    """

    def __init__(self, texts: Mapping[str, str], *, counter: TokenCounter | None = None) -> None:
        """
        Make a renderer of templates.

        Args:
            texts: Templates by name: ``prompt_<style>.j2`` for each style, ``prompt.j2`` for what they share.

            counter: Measures prompts; None estimates.

        Raises:
            InvalidInputError: A name has another form, or no style is among them.
        """
        for name, text in texts.items():
            if not _TEMPLATE_NAME.fullmatch(name):
                raise InvalidInputError(f"A template must be named 'prompt.j2' or 'prompt_<style>.j2' (got {name!r}).")
            if len(text) > TEMPLATE_CHARACTERS_MAX:
                raise TemplateError(f"It must have at most {TEMPLATE_CHARACTERS_MAX} characters.", template=name)
        self._texts = dict(texts)
        found = (_TEMPLATE_NAME.fullmatch(name) for name in self._texts)
        self._styles = tuple(sorted(match.group(1) for match in found if match is not None and match.group(1)))
        if not self._styles:
            raise InvalidInputError("At least one template named 'prompt_<style>.j2' is needed (got none).")
        self._counter = counter or EstimatedTokens()
        self.text = canonical_bytes(self._texts).decode()
        self.digest = hashlib.sha256(self.text.encode()).hexdigest()
        self._environment: PromptEnvironment | None = None

    @classmethod
    def load(cls, folder: str | Path | None = None, *, counter: TokenCounter | None = None) -> Renderer:
        """
        Return a renderer of the templates that ship, those in *folder* before them.

        Args:
            folder: Holds ``prompt_<style>.j2`` and may hold ``prompt.j2``; None for those that ship alone.

            counter: Measures prompts; None estimates.

        Raises:
            InvalidInputError: There is no such folder, or no template in it.
            TemplateError: One of its templates does not compile or asks for what is refused.
        """
        names = [name for name in _resources.list_names("templates") if _TEMPLATE_NAME.fullmatch(name)]
        texts = {name: _resources.read_text("templates", name) for name in names}
        if folder is None:
            return cls(texts, counter=counter)
        own = _read_folder(Path(folder))
        renderer = cls({**texts, **own}, counter=counter)
        for name in sorted(own):
            renderer._use_environment().check(name)
        return renderer

    @classmethod
    def from_text(cls, text: str, *, counter: TokenCounter | None = None) -> Renderer:
        """
        Return a renderer of the templates whose ``text`` went on record.

        Raises:
            InvalidInputError: *text* is not what ``Renderer.text`` gave.
        """
        try:
            texts = msgspec.json.decode(text, type=dict[str, str])
        except msgspec.DecodeError as error:
            raise InvalidInputError(f"A record of templates must map names to texts: {error}.") from error
        return cls(texts, counter=counter)

    @property
    def styles(self) -> tuple[str, ...]:
        """The styles that it can render, sorted."""
        return self._styles

    def render(
        self,
        passages: Sequence[Passage],
        *,
        style: str = "steps",
        budget_tokens: int | None = None,
        task: str | None = None,
    ) -> str:
        """
        Return *passages* as a block of text for an agent.

        The last procedures are left out until the rest fits the budget. Only if the first does not fit alone is it
        made shorter: without its example, then without its facts and further patterns, then by lines at its end.

        Args:
            passages: Best first, as ``passage`` makes them.

            style: ``steps``, ``prose``, ``code``, or one that the user's folder adds.

            budget_tokens: How long the whole block may be, in tokens of the counter, 0 or more; None for no limit.

            task: What the agent is asked to do; None leaves it out.

        Returns:
            The text, without a line feed at its end; empty if there are no passages or not even one line of the first
            fits. The same passages give the same text.

        Raises:
            InvalidInputError: There is no such style, the budget is negative, or a passage holds more than plain
                values.
            TemplateError: A template does not render, or the text grows over a million characters without a budget.
        """
        if style not in self.styles:
            raise InvalidInputError(f"'style' must be one of {', '.join(self.styles)} (got {style!r}).")
        if budget_tokens is not None and budget_tokens < 0:
            raise InvalidInputError(f"'budget_tokens' must be 0 or more (got {budget_tokens!r}).")
        if not passages or budget_tokens == 0:
            return ""
        safe_task = None if task is None else safe_text(task).strip()
        safe = [safe_passage(passage) for passage in passages]
        if budget_tokens is None:
            return self.fill(style, safe_task, safe)
        budget = budget_tokens

        def fitting(chosen: Sequence[Passage]) -> str | None:
            return self._fill_within(style, safe_task, chosen, budget)

        text = _longest(len(safe), lambda left_out: fitting(safe[: len(safe) - left_out]))
        return text or _longest(shorter_levels(safe[0]), lambda level: fitting([shorter(safe[0], level)])) or ""

    def fill(self, style: str, task: str | None, passages: Sequence[Passage]) -> str:
        """Return the text of the template of *style*: ``render`` without making values safe and without a budget."""
        values = {"task": task, "procedures": list(passages)}
        return self._use_environment().fill(f"prompt_{style}.j2", values).strip("\n")

    def _fill_within(self, style: str, task: str | None, passages: Sequence[Passage], budget: int) -> str | None:
        """Return the text of *passages*, or None if it is longer than *budget*."""
        from memp.rendering.sandbox import OutputTooLongError

        try:
            text = self.fill(style, task, passages)
        except OutputTooLongError:
            return None
        return text if self._counter.count(text) <= budget else None

    def _use_environment(self) -> PromptEnvironment:
        # Jinja costs 60 ms to import, which somebody who only learns or lists need not wait for.
        from memp.rendering.sandbox import PromptEnvironment

        if self._environment is None:
            self._environment = PromptEnvironment(self._texts)
        return self._environment


def _longest(count: int, attempt: Callable[[int], str | None]) -> str | None:
    """
    Return the text of the smallest of 0 … *count* - 1 for which *attempt* gives one; None if none does.

    Larger numbers give shorter texts, so the halves are searched in turn; what is returned has been measured itself.
    """
    text = attempt(0)
    if text is not None:
        return text
    best: str | None = None
    low, high = 1, count
    while low < high:
        middle = (low + high) // 2
        text = attempt(middle)
        if text is None:
            low = middle + 1
        else:
            best, high = text, middle
    return best


def _read_folder(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise InvalidInputError(f"'templates' must be a folder (there is none at {str(folder)!r}).")
    texts: dict[str, str] = {}
    for file in sorted(folder.iterdir()):
        if _TEMPLATE_NAME.fullmatch(file.name) and file.is_file():
            try:
                texts[file.name] = file.read_text(encoding="utf-8")
            except UnicodeDecodeError as error:
                raise TemplateError("It must be UTF-8 text.", template=file.name) from error
    if not texts:
        raise InvalidInputError(f"{str(folder)!r} holds no template: it must be named 'prompt_<style>.j2'.")
    return texts
