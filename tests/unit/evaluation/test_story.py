"""The second half of the demo: it goes wrong, the right event is found, and it is as good as before."""

from __future__ import annotations

from pathlib import Path

import pytest

import memp
from memp.evaluation import story
from memp.evaluation.demo import Demo, run_demo

TASKS = 18
"""Three of each type: a third of what the demo does, and the same story."""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    """The demo, run once, with its report."""
    return run_demo(tmp_path_factory.mktemp("story") / "demo.duckdb", tasks=TASKS)


def tale(demo: Demo) -> story.Story:
    """Return the story of a demo that has one."""
    assert demo.story is not None
    return demo.story


def test_it_goes_up_and_down_and_up(told: Demo) -> None:
    """Better with what was learned than without, worse with the reflection, and as good as before without it."""
    one = tale(told)
    assert one.success("none") < one.success(story.LEARNED)
    assert one.success(story.SLIPPED) < one.success(story.LEARNED)
    assert one.success(story.MENDED) >= one.success(story.LEARNED)
    assert one.success(str(one.slipped_at)) < one.success(story.LEARNED)


def test_the_search_names_what_slipped_in(told: Demo) -> None:
    """Among all that happened since, it is the reflection; and the undo takes back just that."""
    one = tale(told)
    assert one.found.event == one.slipped
    assert one.found.evaluations <= 9
    with memp.open(told.store, read_only=True) as memory:
        [undo] = memory.events(type="events-undone")
        assert undo.data is not None
        assert undo.data["undone"] == [one.slipped]
        assert undo.event_id == one.undone
        assert "memp bisect named it" in undo.data["reason"]
        assert {tag.name for tag in memory.tags()} >= {"v1", "v2", "v3"}
        [slip] = [record for record in memory.events() if record.actor == story.REFLECTOR]
        assert slip.event_id == one.slipped


def test_what_was_learned_in_between_stays(told: Demo) -> None:
    """The episodes, their runs and their evidence are in force after the undo."""
    with memp.open(told.store, read_only=True) as memory:
        assert len(memory.episodes()) == story.EPISODES
        learned = {procedure.id for procedure in memory.at("v1").procedures()}
        assert learned <= {procedure.id for procedure in memory.procedures()}
        assert sum(procedure.evidence.episodes for procedure in memory.procedures()) > 0


def test_the_report_lies_beside_the_store(told: Demo) -> None:
    """It is one file with the curve, the event and the procedures in it."""
    one = tale(told)
    assert one.report == told.store.with_suffix(".html")
    text = Path(one.report).read_text(encoding="utf-8")
    assert f"event {one.slipped_at}" in text
    assert one.procedure in text
    assert "http" not in text.replace("http-equiv", "")


def test_telling_it_again_writes_nothing(told: Demo) -> None:
    """The same story on its own store: the same figures, the same events."""
    with memp.open(told.store, read_only=True) as memory:
        before = memory.position
    again = run_demo(told.store, tasks=TASKS)
    with memp.open(told.store, read_only=True) as memory:
        assert memory.position == before
    assert tale(again).result.attempts == tale(told).result.attempts
    assert tale(again).found.event == tale(told).found.event


def test_without_what_draws_the_story_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the story needs a library but the report."""
    monkeypatch.setattr(story, "find_spec", lambda _name: None)
    monkeypatch.setattr(story, "EPISODES", 3)
    monkeypatch.setattr(story, "SLIPS_AFTER", 2)
    one = tale(run_demo(tmp_path / "demo.duckdb", tasks=12))
    assert one.report is None
    assert one.found.event == one.slipped
    assert list(tmp_path.glob("*.html")) == []
