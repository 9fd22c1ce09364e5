"""What was found for a task: the matches, and the block of text that an agent is given of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

from memp.model import Match, Procedure
from memp.rendering import Renderer
from memp.rendering.ready import ready_passage
from memp.script.toolset import Toolset


class Found(Sequence[Match]):
    """
    What was found for a task, best first: a sequence of matches that renders itself for an agent.

    Attributes:
        task: What was asked.

        matches: The matches, best first.
    """

    def __init__(
        self,
        task: str,
        matches: Sequence[Match],
        *,
        renderer: Callable[[], Renderer],
        toolset_of: Callable[[Procedure], Toolset | None],
    ) -> None:
        self.task = task
        self.matches = tuple(matches)
        self._renderer = renderer
        self._toolset_of = toolset_of

    @overload
    def __getitem__(self, index: int) -> Match: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Match]: ...

    def __getitem__(self, index: int | slice) -> Match | Sequence[Match]:
        return self.matches[index]

    def __len__(self) -> int:
        return len(self.matches)

    def __repr__(self) -> str:
        return f"Found(task={self.task!r}, matches={[match.procedure.name for match in self.matches]!r})"

    def prompt(self, *, budget_tokens: int | None = 600, style: str = "steps") -> str:
        """
        Return the matches as a block of text for an agent.

        Args:
            budget_tokens: How long it may be, in estimated tokens, 0 or more; None for no limit. Whole procedures are
                left out, the last first, before one is cut short.

            style: ``steps``, ``prose`` or ``code``.

        Returns:
            The text; empty if nothing was found or nothing fits. It holds no ids, positions or times: the same
            procedures give the same text.

        Raises:
            InvalidInputError: There is no such style, or the budget is negative.

            TemplateError: A template of the user's does not render.
        """
        found = (match.procedure for match in self.matches)
        passages = [ready_passage(procedure, self._toolset_of(procedure)) for procedure in found]
        return self._renderer().render(passages, task=self.task, style=style, budget_tokens=budget_tokens)
