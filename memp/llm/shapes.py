"""
The forms that models are asked to fill in: pydantic's classes, which is what instructor takes.

They stand here and nowhere else. What comes out of one is turned into a value of ours (``memp.llm.answers``) before
anybody else sees it; the descriptions below are read by the model.
"""

from __future__ import annotations

from pydantic import BaseModel, Field


class ProcedureAnswer(BaseModel):
    """A procedure in the procedure language."""

    script: str = Field(description="The whole source of the procedure, from @procedure on, and nothing around it.")
    patterns: list[str] = Field(
        default_factory=list,
        description="Further wordings of the task, with the parameters of the procedure in braces.",
    )
    facts: list[str] = Field(default_factory=list, description="Short statements about when the procedure applies.")


class MendedAnswer(BaseModel):
    """What was wrong with a procedure, and the procedure that answers it."""

    critique: str = Field(description="What was wrong with the procedure as it was, in one to three sentences.")
    script: str = Field(description="The whole source of the mended procedure, from @procedure on.")


class VerdictAnswer(BaseModel):
    """A verdict on a run."""

    reasons: list[str] = Field(description="Why, one sentence each, the weightiest first.")
    steps: list[int] = Field(description="Numbers of the steps of the run that the reasons rest on.")
    score: float = Field(description="How well the run did its task: from 0, not at all, to 1, entirely.")


class FactsAnswer(BaseModel):
    """What a procedure is for."""

    facts: list[str] = Field(description="Short statements about when the procedure applies, three to six of them.")
    patterns: list[str] = Field(
        default_factory=list,
        description="Further wordings of the task, with the parameters of the procedure in braces.",
    )


class MoveAnswer(BaseModel):
    """What an agent does next."""

    thought: str = Field(default="", description="What you think, in a sentence or two.")
    action: str = Field(description="The one action to take now, exactly as the world understands it.")
