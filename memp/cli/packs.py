"""``memp pack``: procedures as a file of their own, to be taken from one store to another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from memp.cli import options

if TYPE_CHECKING:
    from memp.operations.packs import ImportedPack

_WAYS = ("candidate", "active")

SIGNED = {
    "checked": "its signature fits the key",
    "unchecked": "it is signed, and no key was given to check that with",
    "no": "it is not signed",
}
"""What is said of a pack's signature."""

key_file = click.option(
    "--key", "key_file", default=None, metavar="FILE", type=click.Path(dir_okay=False), help="A file that holds a key."
)


@click.group()
def pack() -> None:
    """Take procedures from one store to another."""


@pack.command()
@options.store
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
@click.option(
    "--where", multiple=True, metavar="NAME=VALUE", help="Only such as tag=kitchen; repeatable, all must hold."
)
@key_file
@options.branch
@options.as_json
def export(store: str, file: str, where: tuple[str, ...], key_file: str | None, branch: str, as_json: bool) -> None:
    """
    Write procedures of STORE to FILE, which must not be there.

    With --key it is signed: whoever has the same key can tell that it was made with it and not changed since.
    """
    from memp.cli.output import console, counted, plain, print_json
    from memp.retrieval.filters import read_filter

    wanted = read_filter(where)
    with options.open_for_planning(store, branch=branch) as memory:
        done = memory.export_pack(file, where=wanted, key_file=key_file)
    if as_json:
        print_json({"file": file, "procedures": list(done.procedures), "sha256": done.sha256, "signed": done.signed})
        return
    said = ", signed" if done.signed else ""
    what = counted(len(done.procedures), "procedure")
    console().print(plain(f"Wrote {what} to {file}{said}. Digest: {done.sha256}"), soft_wrap=True)


@pack.command("import")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
@options.store
@click.option(
    "--as", "as_", type=click.Choice(_WAYS), default="candidate", show_default=True, help="What they become here."
)
@key_file
@options.branch
@options.actor
@options.as_json
def import_(file: str, store: str, as_: str, key_file: str | None, branch: str, actor: str, as_json: bool) -> None:
    """
    Take the procedures in FILE into STORE, which is made if it is not there; what it has already is left alone.

    They wait as candidates, which 'memp candidates' lists, unless --as active is given. With --key only a pack that was
    signed with the same key is taken.
    """
    from memp.cli.output import print_json
    from memp.transfer.pack import read_key, read_pack

    # Before the store is opened, so that a pack that cannot be read does not leave an empty one behind.
    read_pack(file, key=None if key_file is None else read_key(key_file))
    with options.open_for_writing(store, actor=actor, create=True, branch=branch) as memory:
        done = memory.import_pack(file, as_="active" if as_ == "active" else "candidate", key_file=key_file)
    if as_json:
        print_json(
            {
                "added": list(done.added),
                "revised": list(done.revised),
                "known": done.known,
                "as": done.as_,
                "log_id": done.log_id,
                "sha256": done.sha256,
                "signed": done.signed,
                "events": [record.position for record in done.events],
            }
        )
        return
    _print(done)


def _print(done: ImportedPack) -> None:
    from memp.cli.output import console, counted, one_line

    out = console()
    waits = done.as_ == "candidate"
    became = "wait for a verdict" if waits else "are active"
    added = ("waits for a verdict" if waits else "is active") if len(done.added) == 1 else became
    out.print(f"From the log {done.log_id}; {SIGNED[done.signed]}.", soft_wrap=True)
    if done.added:
        out.print(f"{counted(len(done.added), 'procedure')} added, which {added}:", soft_wrap=True)
    for name in done.added:
        out.print(f"  {one_line(name)}", soft_wrap=True)
    if done.revised:
        out.print(f"{counted(len(done.revised), 'procedure')} revised; the new revisions {became}:", soft_wrap=True)
    for name in done.revised:
        out.print(f"  {one_line(name)}", soft_wrap=True)
    out.print(f"{done.known} known before; {counted(len(done.events), 'event')} written.")


COMMANDS = (pack,)
