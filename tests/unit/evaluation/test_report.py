"""Reports: one file that needs nothing, says all that was measured, and shows stored text as text."""

from __future__ import annotations

import builtins
import os
import random
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
import pytest

import memp
from memp.errors import InvalidInputError
from memp.evaluation.report import content, page_text, write_report
from memp.evaluation.report.content import Look
from memp.evaluation.result import Arm, Attempt, Measured, Result
from tests.unit.evaluation.tiny import Sure, boxes, memory_of

HOSTILE = '"><script>alert(1)</script><img src=x onerror=alert(2)>$\\frac{1}{0}$&amp;\x1b[31m\u202e'
"""What anybody may have written into a name."""

VOID = {"meta", "br", "img", "link", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser reads it: tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.words: list[str] = []
        self.style = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, "every tag is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes what was never opened"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All that is read, on one line."""
        return " ".join(" ".join(self.words).split())


def measured(suite: str = "household") -> Measured:
    """Return what a result says of itself."""
    return Measured(
        suite=suite,
        suite_version="1",
        suite_digest="ab" * 32,
        agent="follower",
        agent_version="1",
        memp_version="0.1.0",
        k=3,
        max_steps=50,
    )


def result_of(rates: dict[str, float], *, tasks: int = 30, suite: str = "household", task: str = "task") -> Result:
    """Return a result in which each arm solves about that share; versions stand ten positions apart."""
    lot, arms, attempts = random.Random(1), [], []
    luck = [lot.random() for _ in range(tasks)]
    for number, (name, rate) in enumerate(rates.items()):
        kind: Any = name if name in ("none", "random") else "view"
        view = kind == "view"
        arms.append(Arm(name=name, kind=kind, branch="main" if view else None, position=10 * number if view else None))
        for place in range(tasks):
            won = luck[place] < rate
            attempts.append(
                Attempt(
                    arm=name,
                    task_id=f"{task} {place}",
                    type=f"type {place % 3}",
                    won=won,
                    reward=float(won),
                    steps=lot.randint(5, 20) if won else 50,
                    served=("heat-then-place",),
                )
            )
    return Result(measured=measured(suite), seeds=(0,), arms=tuple(arms), attempts=tuple(attempts))


RATES = {"none": 0.4, "random": 0.5, "v1": 0.9, "20": 0.85, "v2": 0.45}


@pytest.fixture(scope="module")
def page() -> str:
    """The page of a result with two baselines and three versions."""
    return page_text(result_of(RATES))


# -- one file that needs nothing --------------------------------------------------------------------------------------


def test_the_page_refers_to_nothing_elsewhere(page: str) -> None:
    """No address, no script, no style sheet, no picture: what is drawn stands in the file."""
    read = Page(page)
    assert not re.search(r"https?:|//[a-z]|@import|url\(\s*[^#)]", page.replace("url(#", "url(#"), re.IGNORECASE)
    assert not {"script", "link", "iframe", "object", "embed", "img", "form"} & set(read.tags)
    references = [value for name, value in read.attributes if name in ("href", "src", "xlink:href", "action", "data")]
    assert all(value.startswith("#") for value in references)
    assert not [name for name, _ in read.attributes if name.startswith("on")]
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'") in (
        read.attributes
    )


def test_every_arm_type_and_task_is_there(page: str) -> None:
    """Whatever was measured is on the page, and so is on what and by whom."""
    text = Page(page).text
    for said in (*RATES, "type 0", "type 2", "task 0", "task 29", "follower 1", "household 1", "nothing served"):
        assert said in text, said
    assert "v1 solves" in text


def test_drawings_are_there_for_both_widths_and_in_words(page: str) -> None:
    """Two curves and two plots of differences, each wide and narrow, each told to those who cannot see."""
    read = Page(page)
    assert read.tags.count("svg") == 8
    told = [value for name, value in read.attributes if name == "aria-label"]
    assert len(told) == 4
    assert any("solved, %" in one for one in told)
    ids = [value for name, value in read.attributes if name == "id"]
    assert len(ids) == len(set(ids)), "an id names one thing"
    wanted = {value[1:] for name, value in read.attributes if name == "href" and value.startswith("#")}
    assert wanted <= set(ids)
    assert "var(--accent)" in page
    assert not re.search(r"#0[1-7]0[1-7]0[1-7]", page), "every colour that stands in for a name is named"


def test_light_dark_narrow_and_paper_are_thought_of(page: str) -> None:
    """The style knows both grounds, small screens and printing."""
    style = Page(page).style
    for said in ("prefers-color-scheme: dark", "max-width: 40rem", "@media print"):
        assert said in style


def test_the_same_result_gives_the_same_bytes(page: str) -> None:
    """No time, no path and no chance enters a report."""
    assert page_text(result_of(RATES)) == page


def test_hostile_text_is_text() -> None:
    """Names of arms, tasks, suites and procedures are shown as they are, and neither run nor break the page."""
    with memp.open(":memory:") as memory:
        said = '@procedure("heat <b>x</b> {thing}")\ndef heat(thing: Text):\n    do("</pre><script>alert(3)")\n'
        memory.add(said, name="heat-then-place")
        memory.validate("heat-then-place", reward=1.0)
        rates = {"none": 0.2, f"v1 {HOSTILE}": 0.9, f"v2 {HOSTILE}": 0.3}
        result = result_of(rates, suite=f"suite {HOSTILE}", task=f"task {HOSTILE}")
        places = {10: memory.position - 1, 20: memory.position}
        arms = tuple(attrs.evolve(arm, position=places.get(arm.position or 0)) for arm in result.arms)
        text = page_text(attrs.evolve(result, arms=arms), memory=memory)
    read = Page(text)
    assert "script" not in read.tags
    assert "img" not in read.tags
    assert "<script>alert(1)</script>" in read.text
    assert "alert(3)" in read.text
    assert "\x1b" not in text
    assert "\u202e" not in text


# -- what it says ------------------------------------------------------------------------------------------------------


def test_a_search_is_told_and_its_event_marked() -> None:
    """The report of a bisection begins with the event, and says how it was found and what is without it."""
    memory, records = memory_of([80, 78, 30, 30])
    with memory:
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2")
        assert found.result is not None
        text = Page(page_text(found.result, memory=memory, bisection=found)).text
    assert f"Event {records[1].position} made it worse" in text
    assert "say change 1" in text
    assert "v2 without it" in text
    assert "open-the-box" in text
    assert f"event {records[1].position}" in text
    assert "no estimate" in text


def test_a_search_that_cannot_tell_says_so() -> None:
    """Nothing is made up where nothing was found."""
    memory, _ = memory_of([80] * 12 + [30] * 12)
    with memory:
        found = memp.bisect(memory, boxes(), Sure(), good="v1", bad="v2", budget=1)
        assert found.result is not None
        text = Page(page_text(found.result, bisection=found)).text
    assert "Cannot tell: the budget of evaluations is used up" in text


def test_procedures_come_with_script_support_and_evidence() -> None:
    """What was served is shown as the last version that has it says it."""
    memory, _ = memory_of([80, 40])
    with memory:
        memory.validate("open-the-box", reward=1.0)
        result = memp.evaluate(memory, boxes(), Sure(), arms=["v1", "v2"])
        text = Page(page_text(result, memory=memory)).text
    assert 'do ( "try 40" )'.replace(" ", "") in text.replace(" ", "")
    assert "helped:" in text
    assert "Why it was rewritten: say change 0" in text


def test_one_version_alone_and_no_version_at_all() -> None:
    """Without a curve there is no drawing of one, and the page still says what there is."""
    one = Page(page_text(result_of({"none": 0.3, "v1": 0.9})))
    assert "Over the versions" not in one.text
    assert "v1 against none" in one.text
    none = Page(page_text(result_of({"none": 0.3, "random": 0.4})))
    assert "No version of a memory was measured here." in none.text


def test_of_many_versions_those_with_names_are_compared() -> None:
    """A curve of twenty points has its drawing; the table of differences holds what somebody named."""
    rates = {"none": 0.3} | {str(10 * number): 0.5 for number in range(1, 20)} | {"v1": 0.9, "v2": 0.2}
    look = Look(result=result_of(rates))
    assert [arm.name for arm in look.compared.arms] == ["none", "v1", "v2"]
    compared = [(one.a, one.b) for one in content.pairs(look)]
    assert compared == [("v1", "v2"), ("none", "v2")]
    curve = content.curve_of(look, "success")
    assert curve is not None
    assert len(curve.lines["main"]) == 21


# -- writing it --------------------------------------------------------------------------------------------------------


def test_a_report_takes_the_place_of_an_old_one_whole(tmp_path: Path) -> None:
    """It is written beside and put in place; a folder that is not there is an error and leaves nothing."""
    path = tmp_path / "report.html"
    path.write_text("old")
    result_of(RATES).report(path)
    assert path.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]
    with pytest.raises(InvalidInputError, match="cannot be written"):
        write_report(result_of(RATES), tmp_path / "nowhere" / "report.html")


def test_without_matplotlib_the_way_out_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra is named, as everywhere."""
    there = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name.partition(".")[0] == "matplotlib":
            raise ImportError(name)
        return there(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InvalidInputError, match=r"pip install 'memp\[evaluation\]'"):
        page_text(result_of(RATES))


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.mark.skipif(BROWSER is None, reason="no browser is installed")
@pytest.mark.parametrize(("width", "dark"), [(1100, False), (390, True)])
def test_a_browser_shows_it(page: str, tmp_path: Path, width: int, dark: bool) -> None:
    """A real browser reads the page without loading anything, and fills the screen, wide and light, narrow and dark."""
    file, picture = tmp_path / "report.html", tmp_path / "report.png"
    file.write_text(page, encoding="utf-8")
    assert BROWSER is not None
    options = ["--headless", "--disable-gpu", "--disable-background-networking", "--no-first-run", "--hide-scrollbars"]
    options += ["--no-sandbox", f"--user-data-dir={tmp_path / 'profile'}", f"--window-size={width},1600"]
    options += ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"] if dark else []
    done = subprocess.run(
        [BROWSER, *options, f"--screenshot={picture}", file.as_uri()],
        capture_output=True, text=True, timeout=120, check=False, env={**os.environ, "HOME": str(tmp_path)},
    )  # fmt: skip
    assert picture.exists(), done.stderr[-2000:]
    import matplotlib.image

    pixels = matplotlib.image.imread(picture)[..., :3]
    ground = pixels[2, 2]
    assert (float(ground.mean()) < 0.5) is dark
    share = float((abs(pixels - ground).max(axis=2) > 0.1).mean())
    assert 0.02 < share < 0.6, "there is something on the page, and room around it"
