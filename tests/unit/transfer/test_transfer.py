"""Exports and imports: the same log afterwards, or nothing."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard

import memp
from memp.errors import ExportFormatError, NotFoundError, UnknownEventTypeError
from memp.events import EVENT_TYPES
from memp.log import DuckDBLog
from memp.transfer import import_store
from memp.transfer.lines import RecordLine, decode, encode, record_line, record_of

TASKS = ["put a hot mug in the cabinet", "put a cold egg on the shelf – très froid"]


def run(task: str) -> memp.Trajectory:
    """A run that was won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action="look", observation='A "mug".\nDone.')], reward=1.0)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store of two runs, a change and an undo, and its export."""
    folder = tmp_path_factory.mktemp("made")
    with memp.open(folder / "agent.duckdb", actor="me") as memory:
        memory.learn([run(task) for task in TASKS], key="k")
        record = memory.validate(memory.procedures()[0].id, success=True)
        memory.undo([record.event_id], reason="a mistake")
        memory.fork("what-if").erase(memory.procedures()[1].id, reason="unused")
        for packing in ("jsonl", "gz", "zst"):
            memory.export(folder / f"store.{packing}")
    return folder


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Path:
    """That store."""
    for name in ("agent.duckdb", "agent.duckdb.witness"):
        shutil.copy(made / name, tmp_path / name)
    return tmp_path / "agent.duckdb"


@pytest.fixture
def plain(made: Path, tmp_path: Path) -> Path:
    """Its export, not packed."""
    return Path(shutil.copy(made / "store.jsonl", tmp_path / "store.jsonl"))


def lines_of(path: Path) -> list[dict[str, Any]]:
    """The lines of a plain export, as values."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    """Write lines with a trailer that fits them, as somebody would who forges one."""
    body = [json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n" for line in lines[:-1]]
    trailer = {
        **lines[-1],
        "records": sum(line["kind"] == "record" for line in lines),
        "vectors": sum(line["kind"] == "vector" for line in lines),
        "sha256": hashlib.sha256("".join(body).encode()).hexdigest(),
    }
    path.write_text("".join(body) + json.dumps(trailer) + "\n", encoding="utf-8")


def files_beside(path: Path) -> set[str]:
    """What lies in the folder."""
    return {one.name for one in path.parent.iterdir()}


@pytest.mark.parametrize("name", ["store.jsonl", "store.jsonl.gz", "store.jsonl.zst"])
def test_an_import_is_the_same_store(store: Path, tmp_path: Path, name: str) -> None:
    """Law 11: records, vectors, head and answers are the same, however it was packed."""
    with memp.open(store) as memory:
        report = memory.export(tmp_path / name)
        head, digest = memory.head(), memory.state_digest()
        records, found = list(memory.events()), memory.retrieve(TASKS[0]).prompt()
    imported = memp.import_store(tmp_path / name, tmp_path / "new.duckdb")
    assert (imported.head, imported.records, imported.vectors) == (head, report.records, report.vectors)
    with memp.open(tmp_path / "new.duckdb") as memory:
        assert (memory.head(), memory.state_digest()) == (head, digest)
        assert list(memory.events()) == records
        assert memory.retrieve(TASKS[0]).prompt() == found
        assert memory.branch("what-if").procedures(everything=True)[1].status.value == "erased"
        assert memory.verify().ok
        assert memory.learn([run(task) for task in TASKS], key="k").recorded == 2, "a retry key still stands"
        memory.learn([run("put a book on the desk")])
        assert memory.verify(expect=head).ok


def test_a_name_decides_how_it_is_packed_and_the_bytes_how_it_is_read(made: Path, tmp_path: Path) -> None:
    """A file that was renamed is read all the same."""
    text = (made / "store.jsonl").read_bytes()
    unpacked = io.BytesIO()
    zstandard.ZstdDecompressor().copy_stream(io.BytesIO((made / "store.zst").read_bytes()), unpacked)
    assert unpacked.getvalue() == text
    assert gzip.decompress((made / "store.gz").read_bytes()) == text
    renamed = shutil.copy(made / "store.zst", tmp_path / "renamed.txt")
    assert import_store(renamed, tmp_path / "new.duckdb").records == text.count(b'"kind":"record"')


def test_anyone_can_check_an_export_by_its_description(plain: Path) -> None:
    """The description of the format is enough to check digests, vectors and trailer with SHA-256 and JSON alone."""
    raw = plain.read_bytes().splitlines(keepends=True)
    header, *lines, trailer = lines_of(plain)
    records = [line for line in lines if line["kind"] == "record"]
    vectors = {(v["embedder"], v["text"]): base64.b64decode(v["vector"]) for v in lines if v["kind"] == "vector"}
    previous, named = "00" * 32, 0
    for record in records:
        assert record["previous"] == previous
        body = record["body"].encode()
        assert hashlib.sha256(bytes.fromhex(record["salt"]) + body).hexdigest() == record["body_digest"]
        for ref in json.loads(body).get("vectors", ()):
            vector = vectors[ref["embedder"], hashlib.sha256(ref["text"].encode()).hexdigest()]
            assert hashlib.sha256(vector).hexdigest() == ref["digest"]
            named += 1
        previous = record["digest"]
    assert named
    assert trailer["sha256"] == hashlib.sha256(b"".join(raw[:-1])).hexdigest()
    assert header["head"] == trailer["head"] == f"{len(records)}:{previous}"
    assert header["embedders"] == sorted({embedder for embedder, _ in vectors})


def test_progress_is_reported(store: Path, tmp_path: Path) -> None:
    """Whoever waits sees how far it has come."""
    said: list[tuple[str, int, int]] = []
    with memp.open(store) as memory:
        last = memory.head().position
        memory.export(tmp_path / "a.zst", progress=lambda *report: said.append(report))
    memp.import_store(tmp_path / "a.zst", tmp_path / "new.duckdb", progress=lambda *report: said.append(report))
    assert said.count(("records", last, last)) == 2


def test_the_same_store_gives_the_same_bytes(store: Path, plain: Path, tmp_path: Path) -> None:
    """An export says nothing about when and where it was made."""
    with memp.open(store) as memory:
        memory.export(tmp_path / "again.jsonl")
        memory.export(tmp_path / "one.gz")
        memory.export(tmp_path / "two.gz")
    assert (tmp_path / "again.jsonl").read_bytes() == plain.read_bytes()
    assert (tmp_path / "one.gz").read_bytes() == (tmp_path / "two.gz").read_bytes()


def test_a_memory_without_a_file_is_exported_too(tmp_path: Path) -> None:
    """An export is the way from a trial in memory to a store."""
    with memp.open(":memory:") as memory:
        memory.learn([run(TASKS[0])])
        memory.export(tmp_path / "a.jsonl")
        digest, head = memory.state_digest(), memory.head()
    memp.import_store(tmp_path / "a.jsonl", tmp_path / "new.duckdb")
    with memp.open(tmp_path / "new.duckdb") as memory:
        assert (memory.state_digest(), memory.head()) == (digest, head)


def test_an_empty_store_survives(tmp_path: Path) -> None:
    """A log without events is a log."""
    with memp.open(tmp_path / "a.duckdb") as memory:
        memory.export(tmp_path / "a.jsonl.zst")
    assert memp.import_store(tmp_path / "a.jsonl.zst", tmp_path / "b.duckdb").head.position == 0
    with memp.open(tmp_path / "b.duckdb") as memory:
        memory.learn([run(TASKS[0])])


def test_nothing_is_replaced(store: Path, plain: Path, tmp_path: Path) -> None:
    """Neither an export nor an import ever takes the place of a file, nor of a store that is lost."""
    with memp.open(store) as memory, pytest.raises(memp.InvalidInputError, match="never replaces"):
        memory.export(plain)
    with pytest.raises(memp.InvalidInputError, match="is there"):
        memp.import_store(plain, store)
    store.rename(tmp_path / "elsewhere")
    with pytest.raises(memp.InvalidInputError, match="says that a store was here"):
        memp.import_store(plain, store)
    with pytest.raises(memp.InvalidInputError, match="no folder"):
        memp.import_store(plain, tmp_path / "none" / "a.duckdb")
    with pytest.raises(NotFoundError, match="no export"):
        memp.import_store(tmp_path / "none.jsonl", tmp_path / "new.duckdb")


Damage = Callable[[list[dict[str, Any]]], object]


def _of(lines: list[dict[str, Any]], kind: str) -> int:
    return next(number for number, line in enumerate(lines) if line["kind"] == kind)


DAMAGES: dict[str, tuple[Damage, int, str]] = {
    "actor": (lambda ls: ls[3].update(actor="you"), 4, "digest is another"),
    "body": (lambda ls: ls[3].update(body=ls[3]["body"].replace("a", "b", 1)), 4, "body of position 3"),
    "salt": (lambda ls: ls[2].update(salt="00" * 16), 3, "body of position 2"),
    "no hex": (lambda ls: ls[2].update(digest="xyz"), 3, "cannot be read"),
    "no body": (lambda ls: (ls[3].pop("body"), ls[3].pop("salt")), 4, "no event says that it was purged"),
    "no salt": (lambda ls: ls[3].pop("salt"), 4, "without a salt"),
    "removed": (lambda ls: ls.pop(3), 4, "does not follow"),
    "twice": (lambda ls: ls.insert(3, ls[3]), 5, "does not follow"),
    "swapped": (lambda ls: ls.__setitem__(slice(3, 5), [ls[4], ls[3]]), 4, "does not follow"),
    "unknown key": (lambda ls: ls[2].update(colour="red"), 3, "no line of an export"),
    "another log": (lambda ls: ls[0].update(log_id="other"), 2, "of another log"),
    "no header": (lambda ls: ls.pop(0), 1, "must be its header"),
    "two headers": (lambda ls: ls.insert(2, ls[0]), 3, "second header"),
    "newer": (lambda ls: ls[0].update(format=2), 1, "newer version"),
    "newer and other": (lambda ls: ls[0].update(format=2, more=1), 1, "newer version"),
    "vector": (
        lambda ls: ls[_of(ls, "vector")].update(vector=base64.b64encode(bytes(1536)).decode()),
        0,
        "is not as it was written",
    ),
    "no base64": (lambda ls: ls[_of(ls, "vector")].update(vector="???"), 0, "cannot be read"),
    "vector twice": (lambda ls: ls.insert(-1, ls[_of(ls, "vector")]), -2, "stands twice"),
    "vector lost": (lambda ls: ls.pop(_of(ls, "vector")), 5, "is not there"),
    "head": (lambda ls: ls[0].update(head="1:" + "00" * 32), -1, "The first line says head"),
    "no head": (lambda ls: ls[0].update(head="here"), 1, "POSITION:DIGEST"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_line_is_named_and_nothing_is_left(plain: Path, tmp_path: Path, damage: str) -> None:
    """Whatever was changed, even by somebody who mends the trailer: the line is named, and there is no store."""
    change, line, message = DAMAGES[damage]
    lines = lines_of(plain)
    change(lines)
    write_lines(plain, lines)
    before = files_beside(plain)
    with pytest.raises(ExportFormatError, match=message) as caught:
        memp.import_store(plain, tmp_path / "new.duckdb")
    wanted = line if line > 0 else len(lines) + 1 + line if line else _of(lines, "vector") + 1
    assert caught.value.line == wanted
    assert files_beside(plain) == before


def test_a_byte_that_json_does_not_notice_is_found(plain: Path, tmp_path: Path) -> None:
    """White space between lines or in them says nothing and is not what was written."""
    plain.write_bytes(plain.read_bytes().replace(b'{"kind":"vector",', b'{"kind": "vector",', 1))
    with pytest.raises(ExportFormatError, match="sha256"):
        memp.import_store(plain, tmp_path / "new.duckdb")


@pytest.mark.parametrize("packing", ["jsonl", "gz", "zst"])
def test_a_cut_export_is_refused(made: Path, tmp_path: Path, packing: str) -> None:
    """A transfer that stopped anywhere is noticed, and leaves nothing."""
    content = (made / f"store.{packing}").read_bytes()
    cut = tmp_path / f"cut.{packing}"
    # The last bytes of a zstd file only say that it ends; all lines and their digest stand before them.
    for length in (0, 1, 3, 10, len(content) // 3, len(content) // 2, len(content) - (20 if packing == "zst" else 1)):
        cut.write_bytes(content[:length])
        with pytest.raises(ExportFormatError):
            memp.import_store(cut, tmp_path / "new.duckdb")
        assert files_beside(cut) == {cut.name}


@pytest.mark.parametrize("packing", ["jsonl", "gz", "zst"])
def test_a_flipped_bit_is_never_imported(made: Path, tmp_path: Path, packing: str) -> None:
    """Whatever byte was changed, the import is refused or is the same store."""
    content, head = (made / f"store.{packing}").read_bytes(), memp.import_store(made / "store.gz", tmp_path / "a").head
    flipped = tmp_path / f"flipped.{packing}"
    for place in range(7, len(content), len(content) // 12):
        flipped.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        target = tmp_path / f"{place}.duckdb"
        try:
            assert memp.import_store(flipped, target).head == head
        except (ExportFormatError, UnknownEventTypeError):
            assert not target.exists()


def test_something_behind_the_end_is_refused(plain: Path, tmp_path: Path) -> None:
    """Two exports in one file are not one."""
    plain.write_bytes(plain.read_bytes() + b"\n")
    with pytest.raises(ExportFormatError, match="Nothing may follow") as caught:
        memp.import_store(plain, tmp_path / "new.duckdb")
    assert caught.value.line == plain.read_bytes().count(b"\n")


@pytest.mark.parametrize("content", [b"hello\n", b"[]\n", b'{"kind":"header"}\n', b"\xff\xfe\n", b"{" * 9999 + b"\n"])
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    """A foreign file gets a sentence, not a traceback."""
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(ExportFormatError, match=r"a\.jsonl:1: .*Nothing was imported"):
        memp.import_store(tmp_path / "a.jsonl", tmp_path / "new.duckdb")
    assert files_beside(tmp_path / "a.jsonl") == {"a.jsonl"}


def test_an_event_of_a_newer_version_is_named(plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export with an event type that this version does not know is no damage: it asks for a newer memp."""
    monkeypatch.delitem(EVENT_TYPES, "trajectory-recorded")
    before = files_beside(plain)
    with pytest.raises(UnknownEventTypeError, match="newer"):
        memp.import_store(plain, tmp_path / "new.duckdb")
    assert files_beside(plain) == before


def test_a_full_disk_leaves_nothing(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An export that cannot be finished is not there at all."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with memp.open(store) as memory:
        before = files_beside(store)
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(memp.ServiceError, match="No space left"):
            memory.export(tmp_path / "a.jsonl")
        monkeypatch.undo()
        assert files_beside(store) == before


def test_bytes_that_are_no_text_survive() -> None:
    """The format holds any body, even one that no version of memp would write."""
    with memp.open(":memory:") as memory:
        memory.learn([run(TASKS[0])])
        record = next(memory.events())
    odd = msgspec.structs.replace(record, body=b"\xff\x00\xfe")
    line = decode(encode(record_line(odd)))
    assert isinstance(line, RecordLine)
    assert record_of(line) == odd


def test_an_import_that_was_killed_can_be_repeated(plain: Path, tmp_path: Path) -> None:
    """What an unfinished import left is in nobody's way."""
    target = tmp_path / "new.duckdb"
    (tmp_path / "new.duckdb.new").write_bytes(b"half a database")
    memp.import_store(plain, target)
    assert not (tmp_path / "new.duckdb.new").exists()
    log = DuckDBLog(target, read_only=True)
    position = log.head.position
    log.close()
    assert position == len([line for line in lines_of(plain) if line["kind"] == "record"])
