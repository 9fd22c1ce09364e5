"""``memp embedders``: which embedder finds the right kind of task on one's own runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from memp.cli import options

if TYPE_CHECKING:
    from memp import EmbedderScore
    from memp.embedding import Embedder


@click.group()
def embedders() -> None:
    """Measure what makes texts comparable."""


@embedders.command()
@click.argument("runs", metavar="RUNS...", nargs=-1, required=True, type=click.Path())
@click.option(
    "--embedder",
    "names",
    multiple=True,
    help="hashed, sentence:FOLDER or openai:MODEL; repeatable. [default: that of the settings]",
)
@click.option("--held-out", default=0.3, show_default=True, help="Share of the tasks that ask for their like.")
@click.option("--seed", default=0, show_default=True, help="Another seed holds out other tasks.")
@click.option("--format", "format_", default="auto", show_default=True, help="Form of the runs, as 'learn' takes it.")
@options.base_url
@options.as_json
def compare(
    runs: tuple[str, ...],
    names: tuple[str, ...],
    held_out: float,
    seed: int,
    format_: str,
    base_url: str | None,
    as_json: bool,
) -> None:
    """
    Compare embedders by how often they find a task of the same kind among the runs in the files RUNS.

    Runs say their kind as task_type. Some tasks are held out, and each asks for its like among the others.
    """
    import memp
    from memp.cli.output import print_json, progress_bar
    from memp.embedding.named import embedder_named

    found: dict[str, Embedder] = {
        name: embedder_named(name, base_url=base_url) for name in names or (options.embedder_name() or "hashed",)
    }
    with progress_bar() as progress:
        read = [run for path in runs for run in memp.read_trajectories(path, format=format_)]
        scores = memp.compare_embedders(read, found, held_out=held_out, seed=seed, progress=progress)
    if as_json:
        print_json([attrs.asdict(score) for score in scores])
        return
    _print(scores)


def _print(scores: tuple[EmbedderScore, ...]) -> None:
    from memp.cli.output import console, counted, row, table

    shown = table("embedder", "# right kind at 1", "# at 3", "# mean reciprocal rank")
    for score in scores:
        row(
            shown,
            score.embedder,
            f"{score.right_at_1:.1%}",
            f"{score.right_at_3:.1%}",
            f"{score.reciprocal_rank:.3f}",
        )
    out = console()
    out.print(shown)
    first = scores[0]
    out.print(
        f"{counted(first.asked, 'task')} of {counted(first.kinds, 'kind')} asked among "
        f"{first.remembered} remembered ones."
    )


@click.command()
@options.store
@click.option("--embedder", "name", required=True, help="The new one: hashed, sentence:FOLDER or openai:MODEL.")
@click.option("--reason", default="", help="One sentence for people.")
@options.base_url
@options.actor
@options.as_json
def reembed(store: str, name: str, reason: str, base_url: str | None, actor: str, as_json: bool) -> None:
    """
    Compare the texts of STORE by another embedder from now on.

    All texts are embedded first, and until that is done everything answers as before. What was done stays if this is
    stopped: started again, it goes on from there. Older versions keep the vectors that they were asked in.
    """
    from memp.cli.output import console, counted, plain, print_json, progress_bar
    from memp.embedding.named import embedder_named

    new = embedder_named(name, base_url=base_url)
    with progress_bar() as progress, options.open_for_writing(store, actor=actor, as_filled=True) as memory:
        done = memory.reembed(new, reason=reason, progress=progress)
    if as_json:
        print_json(attrs.asdict(done))
        return
    out = console()
    if not done.branches:
        out.print(plain(f"Texts are compared by {done.embedder!r} already."), soft_wrap=True)
        return
    what = f"{counted(done.texts, 'text')} of {counted(done.revisions, 'revision')} embedded"
    where = ", ".join(done.branches)
    out.print(plain(f"{what}. By {done.embedder!r} instead of {done.previous!r}: {where}."), soft_wrap=True)


COMMANDS = (embedders, reembed)
