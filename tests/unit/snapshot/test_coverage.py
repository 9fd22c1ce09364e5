"""Nothing that a memory keeps is forgotten by a snapshot."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from memp.episodes import Diary
from memp.index import ExactIndex
from memp.model import Evidence, Procedure, Revision
from memp.retrieval.catalogue import Catalogue
from memp.retrieval.lexical import Lexicon
from memp.retrieval.lives import Lives
from memp.retrieval.space import Space
from memp.snapshot import catalogues, histories, timelines
from memp.state import Branch, History

KEPT = histories.COVERED | catalogues.COVERED


@pytest.mark.parametrize(
    "one",
    [
        History(),
        Branch("trial"),
        Diary(),
        Catalogue(ExactIndex),
        Space("hashed-1", ExactIndex, 4),
        Lives([], []),
        Lexicon(),
    ],
    ids=lambda one: type(one).__name__,
)
def test_every_attribute_is_kept_or_worked_out(one: object) -> None:
    """Whoever adds an attribute must say in memp.snapshot what becomes of it."""
    kept, again = KEPT[type(one)], catalogues.WORKED_OUT.get(type(one), frozenset())
    assert set(vars(one)) == kept | again
    assert not kept & again


@pytest.mark.parametrize(
    ("value", "forms", "elsewhere"),
    [
        (Procedure, (timelines._Shell, timelines._Value), {"id"}),
        (Revision, (timelines._Told,), set()),
    ],
)
def test_every_field_of_a_procedure_is_kept(value: Any, forms: tuple[Any, ...], elsewhere: set[str]) -> None:
    """A field that is added must be written, or it would have its default after the next opening."""
    written = {field for form in forms for field in form.__struct_fields__}
    assert {field.alias for field in attrs.fields(value)} <= written | elsewhere


def test_counts_of_evidence_are_whole_numbers() -> None:
    """They are written by their order alone."""
    assert all(type(getattr(Evidence(), field.name)) is int for field in attrs.fields(Evidence))
