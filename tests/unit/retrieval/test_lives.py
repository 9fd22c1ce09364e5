"""Which rows are found, asked while lives begin and end."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from memp.model import ProcedureId
from memp.retrieval.lives import Lives

ROWS = 12

changes = st.lists(
    st.tuples(st.integers(0, 4), st.none() | st.integers(0, ROWS - 1), st.booleans(), st.booleans()), max_size=40
)
"""The procedure, its row from then on, whether it is tainted, and whether somebody asks before the next."""


@given(changes)
def test_asking_in_between_changes_no_answer(said: list[tuple[int, int | None, bool, bool]]) -> None:
    """Lives that were asked after some of their changes find what lives find that are first asked after all of them."""
    patterns, scopes = [(f"pattern {row % 3}",) for row in range(ROWS)], ["", "team", ""] * (ROWS // 3)
    asked, fresh = Lives(patterns, scopes), Lives(patterns, scopes)
    for position, (procedure, row, tainted, asks) in enumerate(said, 1):
        for lives in (asked, fresh):
            lives.set(ProcedureId(str(procedure)), row, position, tainted=tainted)
        if asks:
            asked.masks(position, size=ROWS)
            asked.fixed_words(max(position - 1, 0))
    for position in range(len(said) + 1):
        for scope in (None, "", "team"):
            found = [lives.masks(position, size=ROWS, scope=scope) for lives in (asked, fresh)]
            assert [mask.tolist() for mask in found[0]] == [mask.tolist() for mask in found[1]]
            assert asked.fixed_words(position, scope=scope) == fresh.fixed_words(position, scope=scope)
