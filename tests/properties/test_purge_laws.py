"""Laws 8 and 11 over generated lives: purged content is in no file, and an export is the store."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import zstandard
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import memp
from memp.embedding import HashedEmbedder
from memp.embedding.base import vector_to_bytes
from memp.log.files import StoreFiles, keep_copies
from memp.retrieval.catalogue import search_texts
from tests.soak import examples

PICK = st.integers(0, 30)
LIVES = st.lists(
    st.one_of(
        st.tuples(st.just("learn"), PICK),
        st.tuples(st.just("learn"), PICK),
        st.tuples(st.just("reflect"), PICK, st.booleans()),
        st.tuples(st.just("validate"), PICK),
        st.tuples(st.just("merge"), PICK, PICK),
        st.tuples(st.just("erase"), PICK),
        st.tuples(st.just("undo"), PICK, st.sampled_from(["cascade", "taint"])),
        st.tuples(st.just("source"), PICK),
        st.tuples(st.just("fork"), PICK),
    ),
    min_size=2,
    max_size=9,
)
"""Every step leaves a mark of its own in what it writes, so that what is left of it can be found."""

TASKS = ("put a hot mug in the cabinet", "put a cold egg on the shelf", "look at a book under the lamp")
PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)


def mark(number: int) -> str:
    """A word that stands nowhere else."""
    return f"zqx{number:04d}xqz"


def live(memory: memp.Memory, number: int, change: tuple[Any, ...]) -> None:
    """Carry out one change that leaves the mark of *number*; what the memory refuses is skipped."""
    name, *arguments = change
    everything = memory.procedures(everything=True)
    records = list(memory.events())

    def chosen(pick: int) -> str:
        return everything[pick % len(everything)].id

    try:
        match name:
            case "learn":
                step = memp.Step(action=f"say {mark(number)}", observation="Done.")
                memory.learn([memp.Trajectory(task=TASKS[arguments[0] % 3], steps=[step], reward=1.0)])
            case "reflect":
                script = f'do("{mark(number)}")\n'
                memory.reflect(chosen(arguments[0]), script=script, critique=mark(number), activate=arguments[1])
            case "validate":
                memory.validate(chosen(arguments[0]), success=True, reason=mark(number))
            case "merge":
                memory.merge([chosen(arguments[0]), chosen(arguments[1])], reason=mark(number))
            case "erase":
                memory.erase(chosen(arguments[0]), reason=mark(number))
            case "undo":
                event = records[arguments[0] % len(records)].event_id
                memory.undo([event], reason="taken back", on_dependents=arguments[1])
            case "source":
                runs = [record for record in records if record.type == "trajectory-recorded" and record.data]
                data = runs[arguments[0] % len(runs)].data or {}
                memory.undo(source=data["trajectory_id"], reason="taken back")
            case "fork":
                fork = memory.fork(f"fork-{number}")
                fork.reflect(chosen(arguments[0]), script=f'do("{mark(number)}")\n', critique="c", activate=True)
                memory.promote(f"fork-{number}", reason="better")
    except (memp.MempError, ZeroDivisionError):
        pass


@contextmanager
def lived(life: list[tuple[Any, ...]], path: str | Path) -> Iterator[memp.Memory]:
    """A memory with that life."""
    with memp.open(path, actor="me") as memory:
        for number, change in enumerate(life):
            live(memory, number, change)
        yield memory


def answers(memory: memp.Memory) -> list[object]:
    """What a user sees."""
    shown: list[object] = [memory.state_digest(), memory.procedures(everything=True)]
    for task in TASKS:
        found = memory.retrieve(task, k=5)
        shown += [[(m.procedure.id, m.score) for m in found], found.prompt()]
    return shown


@settings(max_examples=examples(25), phases=PHASES)
@given(LIVES, PICK, st.booleans())
def test_no_body_says_what_was_purged(life: list[tuple[Any, ...]], pick: int, by_run: bool) -> None:
    """Law 8: with all it was made from and all that was made from it, no word of a procedure or run stays."""
    with lived(life, ":memory:") as memory, tempfile.TemporaryDirectory() as folder:
        kind = "trajectory/" if by_run else "procedure/"
        streams = sorted({r.stream for r in memory.events() if r.stream.startswith(kind)})
        if not streams:
            return
        stream = streams[pick % len(streams)]
        bodies = {record.position: record.body or b"" for record in memory.events()}
        said = b"".join(record.body or b"" for record in memory.events() if record.stream == stream)
        marks = [mark(number) for number in range(len(life)) if mark(number).encode() in said]
        head, untouched = memory.head(), {p.id: p for p in memory.procedures(everything=True)}
        id = stream.partition("/")[2]
        ids = {"trajectory_ids": [id]} if by_run else {"procedure_ids": [id]}
        report = memory.purge(**ids, derived=True, sources=True, reason="request 4711")
        plan = report.plan
        for record in memory.events():
            if record.body is None:
                assert record.position in plan.positions
                continue
            assert not any(one.encode() in record.body for one in marks)
            assert record.body == bodies.get(record.position, record.body)
        assert memory.verify(expect=head).ok
        gone = {*plan.procedures, *plan.trajectories}
        touched = {r.stream.partition("/")[2] for r in memory.events() if r.position in plan.positions}
        for procedure_id, procedure in untouched.items():
            if (
                procedure_id not in touched
                and not procedure.merged_into
                and not gone.intersection(source for revision in procedure.revisions for source in revision.sources)
            ):
                assert memory.procedure(procedure_id).revision.content == procedure.revision.content
        memory.export(Path(folder) / "a.jsonl")
        memp.import_store(Path(folder) / "a.jsonl", Path(folder) / "a.duckdb")
        with memp.open(Path(folder) / "a.duckdb") as again:
            assert answers(again) == answers(memory)


@settings(max_examples=examples(15), phases=PHASES)
@given(LIVES, st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"]))
def test_an_import_is_the_store_that_was_exported(life: list[tuple[Any, ...]], name: str) -> None:
    """Law 11: records with ids and digests, vectors, state and answers are the same."""
    with tempfile.TemporaryDirectory() as folder, lived(life, ":memory:") as memory:
        memory.export(Path(folder) / name)
        memp.import_store(Path(folder) / name, Path(folder) / "new.duckdb")
        with memp.open(Path(folder) / "new.duckdb") as again:
            assert list(again._store.log.read()) == list(memory._store.log.read())
            assert sorted(again._store.log.vectors("hashed-1")) == sorted(memory._store.log.vectors("hashed-1"))
            assert (again.head(), again._store.log.log_id) == (memory.head(), memory._store.log.log_id)
            again.export(Path(folder) / "again.jsonl")
            memory.export(Path(folder) / "once.jsonl")
            assert answers(again) == answers(memory)
        assert (Path(folder) / "again.jsonl").read_bytes() == (Path(folder) / "once.jsonl").read_bytes()


# -- looking into files -----------------------------------------------------------------------------------------------

SECRET = "the code of the safe is 4711"


def places(folder: Path, needles: dict[str, bytes]) -> set[tuple[str, str, str]]:
    """
    Return (file, how it was read, needle) of everything that can be found in a folder.

    Files are read as bytes, unpacked if they are packed, and through DuckDB if they are databases, every column of
    every table: DuckDB packs texts, so bytes alone prove nothing.
    """
    found = set()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        for how, content in readings(path):
            found |= {(path.name, how, name) for name, needle in needles.items() if needle in content}
    return found


def readings(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every way in which the content of a file can be read."""
    raw = path.read_bytes()
    yield "bytes", raw
    if raw.startswith(b"\x28\xb5\x2f\xfd"):
        yield "unpacked", zstandard.ZstdDecompressor().decompressobj().decompress(raw)
    if raw[8:12] == b"DUCK":
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "copy.duckdb"
            copy.write_bytes(raw)
            yield "tables", b"\n".join(cells(copy))


def cells(database: Path) -> Iterator[bytes]:
    """Yield every value of every table."""
    connection = duckdb.connect()
    connection.execute(f"attach '{database}' as store (read_only)")
    tables = connection.execute("select table_name from duckdb_tables() where database_name = 'store'").fetchall()
    for (table,) in tables:
        for row in connection.execute(f"select * from store.{table}").fetchall():
            yield from (value if isinstance(value, bytes) else str(value).encode() for value in row)
    connection.close()


def run(task: str, *actions: str) -> memp.Trajectory:
    """A run that was won."""
    return memp.Trajectory(task=task, steps=[memp.Step(action=a, observation="Done.") for a in actions], reward=1.0)


def test_what_was_purged_is_in_no_file(tmp_path: Path) -> None:
    """
    Law 8: first the secret is found in every file that holds it, by every way of reading; after the purge by none.

    The store is long enough for DuckDB to pack it, has caches, kept copies and a leftover of a killed purge, and was
    written in one session and purged in the next, so that the write-ahead log had its turn.
    """
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    home.mkdir()
    elsewhere.mkdir()
    path = home / "agent.duckdb"
    filler = [run(f"{TASKS[n % 3]} {n}", *(f"go to place {m}" for m in range(8))) for n in range(400)]
    with memp.open(path, index="hnsw") as memory:
        memory.learn([*filler[:200], run(SECRET, SECRET), *filler[200:]])
        [secret] = [procedure for procedure in memory.procedures() if procedure.task == SECRET]
        memory.validate(secret.id, success=True, reason=SECRET)
        memory.backup(elsewhere / "copy.duckdb")
        memory.export(elsewhere / "store.jsonl.zst")
    # Graphs are complete once a memory that searches by them was opened, and are kept when it is closed.
    with memp.open(path, index="hnsw") as memory:
        memory.snapshot()
    files = StoreFiles(path)
    keep_copies(files)
    files.unfinished.database.write_bytes(path.read_bytes())
    texts = {text for _, text in search_texts(secret.revision.content)}
    vectors = {f"vector of {text}": vector_to_bytes(HashedEmbedder().embed([text])[0], dimension=384) for text in texts}
    needles = {"secret": SECRET.encode(), "id": secret.id.encode(), **vectors}
    before = places(home, needles)
    named = {(name, needle) for name, how, needle in before if how == "tables"}
    for name in needles:
        assert (path.name, name) in named, f"the search must be able to find the {name}"
        assert (files.unfinished.database.name, name) in named
    assert any(one.parent.parent == files.quarantine for one in home.rglob(path.name))
    assert {path.suffix for path in files.caches()} == {".index", ".snapshot"}, "there are caches to be removed"
    assert {needle for name, _, needle in before if name.endswith(".snapshot")} == set(needles)
    assert {how for _, how, needle in places(elsewhere, needles) if needle == "secret"} >= {"unpacked", "tables"}

    with memp.open(path, index="hnsw") as memory:
        memory.validate(secret.id, success=True, reason=SECRET)
        assert any(name.endswith(".wal") for name, _, needle in places(home, needles) if needle == "secret")
        report = memory.purge(procedure_ids=[secret.id], sources=True, reason="request 4711")
        during = places(home, needles)
        assert memory.verify().ok
        assert SECRET not in {procedure.task for procedure in memory.procedures()}
    after = places(home, needles)
    # Ids are random and stay in the records as the names of streams.
    assert {needle for _, _, needle in during | after} == {"id"}
    assert {Path(copy.path) for copy in report.plan.copies} == {
        elsewhere / "copy.duckdb",
        elsewhere / "store.jsonl.zst",
    }
    assert not files.quarantine.exists()
    assert not files.unfinished.database.exists()
    with memp.open(path, index="hnsw") as memory:
        assert memory.verify().ok
        assert len(memory.procedures()) == 400
