"""Packs: what they carry, what they become, and what is refused."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zstandard
from click.testing import CliRunner

import memp
from memp.cli.main import cli
from memp.errors import ExportFormatError, NotFoundError
from memp.events import EVENT_TYPES, ProcedureImported
from memp.model import Evidence, ProcedureStatus, RevisionStatus
from memp.operations.packs import ImportAs

TASKS = ("put a hot mug in the cabinet", "put a cold egg on the shelf – très froid", "find two pens")
SCRIPT = """\
from household import *


@procedure("look for {thing}")
def look_for(thing: Object):
    place = find(thing)
    take(thing, place)
"""


def run(task: str, action: str = "look") -> memp.Trajectory:
    return memp.Trajectory(task=task, steps=[memp.Step(action=action, observation='A "mug".')], reward=1.0)


@pytest.fixture(scope="module")
def strong(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the store of an agent that learned something, keys, and packs of it."""
    folder = tmp_path_factory.mktemp("strong")
    (folder / "key").write_text("0123456789abcdef\n", encoding="utf-8")
    (folder / "other").write_text("fedcba9876543210\n", encoding="utf-8")
    with memp.open(folder / "strong.duckdb", actor="strong") as memory:
        memory.learn([run(task) for task in TASKS], tags=["kitchen"])
        memory.add(SCRIPT, toolset="household", tags=["script"])
        memory.validate("find-two-pens", reward=1.0, steps=4, reason="found both")
        memory.validate("find-two-pens", success=False)
        memory.erase("put-a-hot-mug-in-the-cabinet", reason="not for others")
        memory.export_pack(folder / "all.memp", key_file=folder / "key")
        memory.export_pack(folder / "script.memp", where=memp.Filter(tags="script"))
    return folder


def lines_of(path: Path) -> list[dict[str, Any]]:
    with zstandard.ZstdDecompressor().stream_reader(path.read_bytes()) as reader:
        return [json.loads(line) for line in reader.read().splitlines()]


def write(path: Path, lines: list[dict[str, Any]], *, sealed: bool = True) -> Path:
    """Write *lines* as a pack; sealed ones get a last line that fits them."""
    data = [json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n" for line in lines]
    if sealed:
        end = lines[-1] | {"sha256": hashlib.sha256(b"".join(data[:-1])).hexdigest(), "signature": None}
        end["procedures"] = sum(line["kind"] == "procedure" for line in lines)
        data[-1] = json.dumps(end).encode() + b"\n"
    path.write_bytes(zstandard.ZstdCompressor().compress(b"".join(data)))
    return path


def test_a_pack_brings_candidates_with_their_origin(strong: Path, tmp_path: Path) -> None:
    """What is retrieved there waits here, unretrieved, with its story and evidence beside it and counted nowhere."""
    with memp.open(tmp_path / "weak.duckdb") as weak:
        done = weak.import_pack(strong / "all.memp")
        assert (len(done.added), done.known, done.signed) == (3, 0, "unchecked")
        assert weak.procedures() == []
        assert len(weak.retrieve("find two pens")) == 0
        assert len(weak.candidates()) == 3
        pens = weak.procedure("find-two-pens")
        assert (pens.status, pens.revision.status) == (ProcedureStatus.CANDIDATE, RevisionStatus.CANDIDATE)
        assert (pens.support, pens.evidence, pens.tags) == (0, Evidence(), ("kitchen",))
        [origin] = weak.origins("find-two-pens")
        assert (origin.log_id, origin.name, origin.support) == (done.log_id, "find-two-pens", 1)
        assert (origin.evidence.episodes, origin.evidence.helped, origin.evidence.steps) == (2, 1, 4)
        assert [event.type for event in origin.history] == ["procedure-added", *["procedure-validated"] * 2]
        assert any("found both" in event.says for event in origin.history)
        digest = weak.state_digest()
    with memp.open(tmp_path / "weak.duckdb") as weak:
        assert weak.state_digest() == digest
        assert weak.verify().ok


def test_a_verdict_makes_it_a_procedure_or_takes_it_away(strong: Path) -> None:
    """An accepted one is retrieved, a rejected one stays readable, and may be brought back by hand."""
    with memp.open(":memory:") as weak:
        weak.import_pack(strong / "all.memp")
        pens, egg, _ = (one for one in sorted(weak.procedures(everything=True), key=lambda p: p.name))
        assert [one.revision.id for one in weak.candidates()] != []
        weak.accept(pens.active, reason="it works here")
        weak.reject(egg.active, reason="we have no shelf")
        assert [p.name for p in weak.procedures()] == [pens.name]
        assert weak.procedure(pens.id).revision.status is RevisionStatus.ACTIVE
        assert weak.retrieve("find two pens")[0].procedure.id == pens.id
        rejected = weak.procedure(egg.id)
        assert (rejected.status, rejected.revision.status) == (ProcedureStatus.ERASED, RevisionStatus.REJECTED)
        assert len(weak.candidates()) == 1
        weak.unerase(egg.id, reason="now we have one")
        assert weak.procedure(egg.id).revision.status is RevisionStatus.ACTIVE


def test_active_ones_are_retrieved_at_once(strong: Path) -> None:
    """Whoever trusts a pack gets its procedures as if they had been learned here, with their toolset on record."""
    with memp.open(":memory:") as weak:
        weak.import_pack(strong / "script.memp", as_="active")
        [procedure] = weak.procedures()
        toolset = weak.toolset_of(procedure)
        assert (procedure.name, procedure.builder, procedure.script) == ("look-for", "hand", SCRIPT)
        assert toolset is not None
        assert toolset.digest == procedure.toolset
        assert "take" in weak.retrieve("look for a mug").prompt()


def test_importing_twice_adds_nothing(strong: Path) -> None:
    """A second import of the same pack, or of one with some of the same procedures, writes no event."""
    with memp.open(":memory:") as weak:
        weak.import_pack(strong / "all.memp")
        position = weak.position
        for name in ("all", "script"):
            again = weak.import_pack(strong / f"{name}.memp", as_="active")
            assert (again.added, again.revised, again.events) == ((), (), ())
        assert (again.known, weak.position) == (1, position)


def test_what_was_learned_here_is_left_alone(strong: Path) -> None:
    """A procedure that this memory has by its own runs is not taken in a second time."""
    with memp.open(":memory:") as weak:
        weak.learn([run("find two pens")])
        done = weak.import_pack(strong / "all.memp")
        assert (len(done.added), done.known) == (2, 1)
        assert (weak.procedure("find-two-pens").support, weak.origins("find-two-pens")) == (1, ())


def test_learning_what_waits_makes_a_procedure_of_ones_own(strong: Path) -> None:
    """A candidate from elsewhere never swallows what is learned here."""
    with memp.open(":memory:") as weak:
        weak.import_pack(strong / "all.memp")
        report = weak.learn([run("find two pens")])
        assert len(report.added) == 1
        assert [p.support for p in weak.procedures()] == [1]


def test_an_import_is_undone_as_one_and_can_be_done_again(strong: Path) -> None:
    """Undoing the batch takes all of it away, and then the pack is new again."""
    with memp.open(":memory:") as weak:
        before = weak.state_digest()
        done = weak.import_pack(strong / "all.memp")
        weak.undo(batch=done.events[0].batch, reason="not yet")
        assert weak.state_digest() == before
        assert len(weak.import_pack(strong / "all.memp").added) == 3


def test_a_newer_pack_revises(tmp_path: Path) -> None:
    """What says something else since the last pack gets a further revision: a candidate, or active if asked for."""
    newer = SCRIPT.replace("take(thing, place)", 'note("be quick")\n    take(thing, place)')
    with (
        memp.open(":memory:") as source,
        memp.open(":memory:") as waiting,
        memp.open(":memory:") as trusting,
    ):
        source.add(SCRIPT, toolset="household")
        source.export_pack(tmp_path / "1.memp")
        source.reflect("look-for", script=newer, critique="too slow", activate=True)
        source.export_pack(tmp_path / "2.memp")
        ways: tuple[tuple[memp.Memory, ImportAs], ...] = ((waiting, "candidate"), (trusting, "active"))
        for memory, as_ in ways:
            memory.import_pack(tmp_path / "1.memp", as_="active")
            done = memory.import_pack(tmp_path / "2.memp", as_=as_)
            assert (done.added, done.revised) == ((), ("look-for",))
            assert len(memory.origins("look-for")) == 2
            assert memory.import_pack(tmp_path / "2.memp").events == ()
        assert waiting.procedure("look-for").script == SCRIPT
        assert [one.revision.content.script for one in waiting.candidates()] == [newer]
        assert trusting.procedure("look-for").script == newer


def test_a_newer_revision_of_what_still_waits_can_be_accepted_at_once(tmp_path: Path) -> None:
    """Accepting the newer of two candidates makes the procedure live with it."""
    with memp.open(":memory:") as source, memp.open(":memory:") as weak:
        source.add(SCRIPT, toolset="household")
        source.export_pack(tmp_path / "1.memp")
        newer = SCRIPT.replace("take(thing, place)", "take(thing, place)\n    note('ready')").replace("'", '"')
        source.reflect("look-for", script=newer, critique="say so", activate=True)
        source.export_pack(tmp_path / "2.memp")
        weak.import_pack(tmp_path / "1.memp")
        weak.import_pack(tmp_path / "2.memp")
        _, second = weak.candidates()
        weak.accept(second.revision.id, reason="the newer")
        [procedure] = weak.procedures()
        assert procedure.script == source.procedure("look-for").script
        assert [r.status for r in procedure.revisions] == [RevisionStatus.SUPERSEDED, RevisionStatus.ACTIVE]


def test_it_belongs_to_the_scope_that_takes_it_in(strong: Path) -> None:
    """Procedures of everybody become a team's own, under keys of their own, and twice is still once."""
    with memp.open(":memory:", scope="team") as team:
        assert len(team.import_pack(strong / "all.memp").added) == 3
        assert team.import_pack(strong / "all.memp").known == 3
        assert {p.scope for p in team.procedures(everything=True)} == {"team"}


def test_purging_one_leaves_the_others(strong: Path, tmp_path: Path) -> None:
    """What is on record of the origin goes with its procedure, and the other candidates stay candidates."""
    with memp.open(tmp_path / "weak.duckdb") as weak:
        weak.import_pack(strong / "all.memp")
        weak.purge(procedure_ids=["find-two-pens"], reason="request 1")
        assert weak.verify().ok
        assert {p.status for p in weak.procedures(everything=True)} == {ProcedureStatus.CANDIDATE}
        told = b"".join(record.body or b"" for record in weak.events())
        assert b"found both" not in told
        assert b"look-for" in told


def test_secrets_do_not_travel(tmp_path: Path) -> None:
    """What a memory kept unmasked is masked when it is packed, and what a pack holds when it is taken in."""
    secret = "write to a@mail.example"
    with memp.open(":memory:", mask=False) as careless:
        careless.learn([run("write a letter", secret)])
        careless.export_pack(tmp_path / "careless.memp")
        careless_pack = lines_of(tmp_path / "careless.memp")
    assert secret in json.dumps(careless_pack)
    with memp.open(":memory:") as careful:
        careful.import_pack(tmp_path / "careless.memp", as_="active")
        [procedure] = careful.procedures()
        assert procedure.run is not None
        assert procedure.run.steps[0].action == "write to [masked e-mail]"
        careful.reflect(procedure.id, script='do("mail b@mail.example")\n', critique="shorter", activate=True)
        careful.export_pack(tmp_path / "careful.memp")
    assert "mail.example" not in json.dumps(lines_of(tmp_path / "careful.memp"))


# -- signatures -------------------------------------------------------------------------------------------------------


def test_a_signature_proves_the_key(strong: Path, tmp_path: Path) -> None:
    """With the key the pack was signed with it is taken; with another, or unsigned, or changed since, it is not."""
    with memp.open(":memory:") as weak:
        with pytest.raises(ExportFormatError, match="another key"):
            weak.import_pack(strong / "all.memp", key_file=strong / "other")
        with pytest.raises(ExportFormatError, match="not signed"):
            weak.import_pack(strong / "script.memp", key_file=strong / "key")
        lines = lines_of(strong / "all.memp")
        signature = lines[-1]["signature"]
        lines[1 + (lines[1]["kind"] == "toolset")]["support"] = 1000
        forged = write(tmp_path / "forged.memp", lines)
        lines = lines_of(forged)
        lines[-1]["signature"] = signature
        with pytest.raises(ExportFormatError, match="signature does not fit"):
            weak.import_pack(write(tmp_path / "again.memp", lines, sealed=False), key_file=strong / "key")
        assert weak.position == 0
        assert weak.import_pack(strong / "all.memp", key_file=strong / "key").signed == "checked"


def test_a_key_that_is_none_is_refused(strong: Path, tmp_path: Path) -> None:
    """A key that is missing, or short enough to guess, is an error before anything is read or written."""
    (tmp_path / "short").write_text("12345", encoding="utf-8")
    with memp.open(":memory:") as weak:
        with pytest.raises(memp.InvalidInputError, match="16 bytes"):
            weak.import_pack(strong / "all.memp", key_file=tmp_path / "short")
        with pytest.raises(NotFoundError, match="key"):
            weak.import_pack(strong / "all.memp", key_file=tmp_path / "none")


# -- what is refused --------------------------------------------------------------------------------------------------


def change(name: str, value: object) -> Callable[[list[dict[str, Any]]], None]:
    """Return what sets a field of the first procedure."""
    return lambda lines: next(line for line in lines if line["kind"] == "procedure").update({name: value})


def says(text: str) -> Callable[[list[dict[str, Any]]], None]:
    """Return what makes the first procedure say *text*, with a digest that fits."""

    def edit(lines: list[dict[str, Any]]) -> None:
        change("content", text)(lines)
        change("digest", hashlib.sha256(text.encode()).hexdigest())(lines)

    return edit


@pytest.mark.parametrize(
    ("edit", "words"),
    [
        (lambda lines: lines[0].update(format=2), "newer version"),
        (lambda lines: lines[0].update(colour="red"), "no line of a pack"),
        (lambda lines: lines.pop(0), "must be its header"),
        (lambda lines: lines.insert(1, lines[0]), "second header"),
        (lambda lines: lines[1].update(digest="ab" * 32), "another"),
        (lambda lines: lines[1].update(text="def ("), "toolset"),
        (lambda lines: lines.pop(1), "toolset"),
        (change("support", "many"), "no line of a pack"),
        (change("content", '{"task":"x"}'), "its digest is another"),
        (says('{"task":"x"}'), "cannot be read"),
        (says('{"facts":[],"patterns":[],"run":null,"script":"do(\\"x\\")\\n","task":"x","z":1}'), "more than this"),
    ],
)  # fmt: skip
def test_a_pack_that_says_nonsense_is_refused(
    strong: Path, tmp_path: Path, edit: Callable[[list[dict[str, Any]]], object], words: str
) -> None:
    """Even with digests that fit, a pack that holds what it cannot hold is refused and nothing is written."""
    lines = lines_of(strong / "script.memp")
    edit(lines)
    path = write(tmp_path / "odd.memp", lines)
    with memp.open(":memory:") as weak:
        with pytest.raises(ExportFormatError, match=words) as caught:
            weak.import_pack(path)
        assert weak.position == 0
    assert str(path) in str(caught.value)


def test_a_script_that_does_not_check_is_refused(strong: Path, tmp_path: Path) -> None:
    """A script that uses what its toolset does not have is refused with its mistakes."""
    lines = lines_of(strong / "script.memp")
    content = json.loads(lines[-2]["content"])
    content["script"] = content["script"].replace("take(thing, place)", "delete_everything(thing)")
    says(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False))(lines)
    with memp.open(":memory:") as weak:
        with pytest.raises(memp.ScriptError, match="delete_everything"):
            weak.import_pack(write(tmp_path / "hostile.memp", lines))
        assert weak.position == 0


def test_every_flipped_or_missing_byte_is_noticed(strong: Path, tmp_path: Path) -> None:
    """A pack that was damaged anywhere is refused or, where the packing has slack, says the same."""
    data = (strong / "script.memp").read_bytes()
    path = tmp_path / "damaged.memp"
    for place in range(0, len(data), 37):
        for damaged in (data[:place], data[:place] + bytes([data[place] ^ 0x20]) + data[place + 1 :]):
            path.write_bytes(damaged)
            with memp.open(":memory:") as weak:
                try:
                    done = weak.import_pack(path)
                except ExportFormatError:
                    assert weak.position == 0
                else:
                    assert lines_of(path) == lines_of(strong / "script.memp")
                    assert done.added == ("look-for",)


def test_another_kind_of_file_is_told_apart(strong: Path, tmp_path: Path) -> None:
    """An export, a text and nothing at all are refused, each with what it is."""
    with memp.open(strong / "strong.duckdb") as memory:
        memory.export(tmp_path / "store.jsonl")
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    (tmp_path / "empty").write_bytes(b"")
    with memp.open(":memory:") as weak:
        for name, words in (("store.jsonl", "whole store"), ("text", "no pack"), ("empty", "not whole")):
            with pytest.raises(ExportFormatError, match=words):
                weak.import_pack(tmp_path / name)
        with pytest.raises(NotFoundError, match="no pack"):
            weak.import_pack(tmp_path / "missing")


def test_a_pack_is_never_written_over_anything(strong: Path, tmp_path: Path) -> None:
    """A file that is there, a folder that is not, and nothing to pack are errors that leave nothing behind."""
    with memp.open(strong / "strong.duckdb", read_only=True) as memory:
        for path, where in (
            (strong / "key", None),
            (tmp_path / "none" / "x.memp", None),
            (tmp_path / "x.memp", memp.Filter(tags="nothing")),
        ):
            with pytest.raises(memp.InvalidInputError):
                memory.export_pack(path, where=where)
        with pytest.raises(memp.InvalidInputError, match="'as_'"):
            memory.import_pack(strong / "all.memp", as_="now")  # type: ignore[arg-type]
        with pytest.raises(memp.InvalidInputError, match="reading only"):
            memory.import_pack(write(tmp_path / "new.memp", relabelled(strong)))
    assert list(tmp_path.iterdir()) == [tmp_path / "new.memp"]


def relabelled(strong: Path) -> list[dict[str, Any]]:
    """The lines of a pack of a procedure that nobody has."""
    lines = lines_of(strong / "script.memp")
    change("content_key", "ab" * 32)(lines)
    return lines


def test_the_event_is_registered() -> None:
    """The event that says where a procedure comes from is one of memp's."""
    assert EVENT_TYPES["procedure-imported"] is ProcedureImported


def test_the_commands_take_a_pack_out_and_in(strong: Path, tmp_path: Path) -> None:
    """``memp pack export`` and ``import`` say what they did, to people and to programs."""

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(cli, [str(one) for one in arguments])
        assert result.exception is None, result.exception
        return result.output

    packed, weak = tmp_path / "x.memp", tmp_path / "weak.duckdb"
    asked = ("--where", "tag=script", "--key", strong / "key", "--json")
    said = json.loads(call("pack", "export", strong / "strong.duckdb", packed, *asked))
    assert (said["procedures"], said["signed"]) == (["look-for"], True)
    told = json.loads(call("pack", "import", packed, weak, "--key", strong / "key", "--json"))
    assert (told["added"], told["as"], told["signed"], told["sha256"]) == (
        ["look-for"], "candidate", "checked", said["sha256"]
    )  # fmt: skip
    assert "1 known before; 0 events written." in call("pack", "import", packed, weak)
    assert "Came out of a pack" in call("show", weak, "look-for")
    assert json.loads(call("show", weak, "look-for", "--json"))["origins"][0]["name"] == "look-for"
    assert "look-for" in call("candidates", weak)
    assert "Wrote 3 procedures" in call("pack", "export", strong / "strong.duckdb", tmp_path / "y.memp")
