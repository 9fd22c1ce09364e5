"""What the child processes of these tests do: ``python children.py WHAT STORE …``."""

from __future__ import annotations

import json
import random
import sys
import threading
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from memp.errors import MempError, StorageError
from memp.log.base import Pending
from memp.log.duckdb import DuckDBLog
from memp.log.files import StoreFiles
from memp.log.identity import Identity
from memp.model import EventId

IDENTITY = Identity()


def event(body: str) -> Pending:
    """An event that says *body*."""
    return Pending(
        event_id=EventId(IDENTITY.event_id()), stream="s", type="t", schema=1, body=json.dumps(body).encode()
    )


def say(*what: object) -> None:
    """Print at once, in one write, so that what was said before a SIGKILL was said whole."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def append_for_ever(store: str, seed: str) -> None:
    """Append batches in several threads, and say each one's last position and digest once it is acknowledged."""
    log = DuckDBLog(store)
    say("open", log.head.position)
    printing = threading.Lock()

    def work(thread: int) -> None:
        draw = random.Random(f"{seed}/{thread}")
        while True:
            batch = [event("x" * draw.choice([1, 50, 3_000])) for _ in range(draw.choice([1, 1, 2, 7, 40]))]
            records = log.append(batch, actor=f"t{thread}")
            with printing:
                say("ack", records[-1].position, records[-1].digest.hex())

    draw = random.Random(seed)
    threads = [threading.Thread(target=work, args=[number], daemon=True) for number in range(draw.choice([1, 2, 4]))]
    for thread in threads:
        thread.start()
    if draw.random() < 0.3:
        # Sometimes the end of the process comes while the store is closed, or while it is copied.
        threading.Event().wait(draw.random() * 0.3)
        if draw.random() < 0.5:
            log.backup(f"{store}-copy-{seed}")
        log.close()
    for thread in threads:
        thread.join()


def append_on_a_bad_disk(store: str, count: str) -> None:
    """Append single events, recover from every failure, and say what was acknowledged and what is in doubt."""
    try:
        log = DuckDBLog(store)
    except MempError as error:
        say("refused", type(error).__name__)
        return
    for number in range(int(count)):
        body = f"event {number}"
        try:
            if log.failed:
                log.recover()
            log.append([event(body)], actor="me")
            say("ack", body)
        except StorageError as error:
            say("doubt" if error.in_doubt else "failed", body)
        except MempError as error:
            say("refused", type(error).__name__)
        try:
            say("read", sum(1 for _ in log.read()))
        except MempError as error:
            say("unread", str(error))
    log.close()
    say("closed")


def back_up(store: str, copy: str) -> None:
    """Copy a store, and say when that begins."""
    log = DuckDBLog(store)
    say("open")
    log.backup(copy)
    log.close()


def outcome(files: StoreFiles, expected: Sequence[tuple[int, bytes | None]], *, write: bool) -> str:
    """Return what becomes of a store with a changed byte: ``detected``, ``unchanged`` or ``wrong: …``."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            log = DuckDBLog(files.database, read_only=not write)
        except (MempError, RuntimeWarning):
            return "detected"
        try:
            noticed = not log.verify().ok
            found = [(record.position, record.body) for record in log.read()]
        except MempError:
            return "detected"
        finally:
            log.close()
    if found == expected:
        return "detected, and all there" if noticed else "unchanged"
    return "detected" if noticed and not write else f"wrong: {len(found)} of {len(expected)} events"


def flip(store: str, which: str, write: str) -> None:
    """
    Flip one bit at each of the places that come on standard input, one after the other, and say the outcome of each.

    Args:
        store: The store. It is put back after every flip.

        which: Suffix of the file to damage; empty for the database.

        write: ``write`` opens the damaged store for writing.
    """
    files = StoreFiles(Path(store))
    target = Path(store + which)
    contents = {path: path.read_bytes() for path in (*files.present(), files.witness)}
    log = DuckDBLog(store, read_only=True)
    expected = [(record.position, record.body) for record in log.read()]
    log.close()
    writing = write == "write"
    for line in sys.stdin:
        place, bit = map(int, line.split())
        with target.open("r+b") as file:
            file.seek(place)
            file.write(bytes([contents[target][place] ^ 1 << bit]))
        say(place, bit, outcome(files, expected, write=writing))
        for path, content in contents.items() if writing else ((target, contents[target]),):
            path.write_bytes(content)


if __name__ == "__main__":
    WAYS: dict[str, Callable[..., None]] = {
        "append": append_for_ever,
        "backup": back_up,
        "bad-disk": append_on_a_bad_disk,
        "flip": flip,
    }
    WAYS[sys.argv[1]](*sys.argv[2:])
