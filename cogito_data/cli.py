"""`cogito-data`: sources, ingest, build, explain, inspect, publish. Only what `--help` needs is imported here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cogito_core.completion import names_of
from cogito_core.console import EPILOG, UsageError, run_cli, say
from cogito_core.doctor.command import doctor
from cogito_core.version import version_option

app = typer.Typer(
    no_args_is_help=True,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

Root = Annotated[
    Path | None, typer.Option("--from", help="Folder with one folder per source, in upstream's own layout.")
]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Processes on this machine.")]


app.command()(doctor)


@app.callback()
def common(version: Annotated[bool, version_option("cogito-data")] = False) -> None:
    """Prepare data: ingest public datasets, rewrite, deduplicate, measure difficulty, select, report."""


@app.command()
def sources(
    name: Annotated[
        str | None, typer.Argument(help="One source in full.", autocompletion=names_of("sources"))
    ] = None,
) -> None:
    """The sources, their licences and sizes, and what is built locally."""
    from cogito_data.catalogue import show_source, show_sources

    if name is None:
        show_sources(Path("runs"))
    else:
        show_source(name, Path("runs"))


@app.command()
def ingest(
    name: Annotated[
        str,
        typer.Argument(
            help="A source of `cogito-data sources`, or a manifest file.", autocompletion=names_of("sources")
        ),
    ],
    out: Annotated[Path, typer.Option("--output", "-o", help="Run directory to write into.")],
    source: Annotated[str, typer.Option("--from", help="Folder in upstream's own layout, or `hub`.")] = "hub",
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="Stop after this many kept rows.")] = None,
    pictures_only: Annotated[bool, typer.Option("--pictures-only", help="No questions without a picture.")] = False,
) -> None:
    """One source to samples."""
    from cogito_data import nano_source
    from cogito_data.ingest import ingest as ingest_source

    if name == nano_source.NAME:
        result = nano_source.ingest_nano(out, limit or nano_source.DEFAULT_ROWS, seed=0)
    else:
        from_hub = source == "hub"
        root = None if from_hub else Path(source)
        result = ingest_source(
            name, root=root, from_hub=from_hub, out=out, limit=limit, pictures_only=pictures_only
        )
    refused = ", ".join(f"{n} {reason}" for reason, n in result.dropped.items()) or "none refused"
    say(f"{result.source}: {result.kept} of {result.rows_read} rows from {result.origin} ({refused}) -> {out}")


@app.command()
def build(
    recipe: Annotated[
        str,
        typer.Option("--recipe", help="nano, vl-cogito, or a YAML file.", autocompletion=names_of("recipes")),
    ],
    root: Root = None,
    out: Annotated[
        Path | None, typer.Option("--output", "-o", help="Run directory; default runs/<recipe>-data.")
    ] = None,
    engine: Annotated[
        str | None, typer.Option("--engine", help="transformers, vllm, or openai:URL[,URL...].")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="Model that measures difficulty, instead of the recipe's.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Instead of the recipe's seed.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="key=value in the data section, such as mix.0.limit=100; repeatable."),
    ] = None,
    exact_rate: Annotated[bool, typer.Option("--exact-rate", help="All trials for every question.")] = False,
    workers: Workers = 1,
    cluster: Annotated[str | None, typer.Option("--cluster", help="Address of a Ray cluster, or `local`.")] = None,
) -> None:
    """A recipe to training shards: ingest, rewrite, deduplicate, measure difficulty, select, report."""
    from cogito_data.command import run_build

    run_build(
        recipe,
        root=root,
        out=out,
        engine=engine,
        model=model,
        seed=seed,
        exact_rate=exact_rate,
        workers=workers,
        cluster=cluster,
        settings=settings or (),
    )


@app.command()
def explain(
    row: Annotated[
        str | None, typer.Argument(metavar="ID", help="A row's id, or a part of it that is unique.")
    ] = None,
    dropped: Annotated[str | None, typer.Option("--dropped", help="List the rows dropped for this reason.")] = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Run directory; default the newest build below runs/.")
    ] = None,
) -> None:
    """Why a row is in or out, and every stage it went through."""
    if (row is None) == (dropped is None):
        raise UsageError("cogito-data explain takes either an ID or --dropped REASON")
    from cogito_data.explain import explain_reason, explain_row, newest_build

    directory = run or newest_build(Path("runs"))
    say(explain_row(directory, row) if row is not None else explain_reason(directory, dropped or ""))


@app.command()
def inspect(
    directory: Annotated[Path, typer.Argument(help="A run directory, or a folder of shards.")],
    out: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file; default DIR/gallery.html.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Rows shown, evenly spread.")] = 2000,
) -> None:
    """An HTML gallery to search and filter: pictures, questions, golds, pass rates, rewrites, neighbours."""
    from cogito_data.inspect_gallery import write_gallery

    path, shown, total = write_gallery(directory, out, limit)
    say(f"{shown} of {total} rows -> {path}")


@app.command()
def publish(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory of a finished `cogito-data build`.")],
    repo: Annotated[str, typer.Option("--repo", help="ORG/NAME of the dataset on the Hub; created if absent.")],
    branch: Annotated[str, typer.Option("--branch", help="Branch that is to show it.")] = "main",
    tag: Annotated[str | None, typer.Option("--tag", help="Name for this version, such as v1.")] = None,
    private: Annotated[bool, typer.Option("--private", help="Create the repository private.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be sent; change nothing.")] = False,
    allow_licence: Annotated[
        list[str] | None,
        typer.Option("--allow-licence", metavar="SOURCE", help="Publish this source's rows on your own permission."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that others wrote or edited on the Hub.")
    ] = False,
    message: Annotated[str | None, typer.Option("--message", help="Commit message.")] = None,
) -> None:
    """A finished build to the Hugging Face Hub: card, Croissant file, manifest and shards in one commit."""
    from cogito_data.publish.command import Wish, run_publish

    wish = Wish(repo, branch, tag, private, overwrite, tuple(allow_licence or ()), message)
    run_publish(run, wish, dry_run=dry_run)


@app.command()
def export(
    directory: Annotated[Path, typer.Argument(help="A run, a snapshot of a published set, or a folder of shards.")],
    form: Annotated[str, typer.Option("--format", help="verl or trl; TRL and EasyR1 read the shards as they are.")],
    out: Annotated[Path, typer.Option("-o", "--output", help="Folder for the shards.")],
    prompt: Annotated[str, typer.Option("--prompt", help="Words around it: train, eval, or nano: none.")] = "train",
) -> None:
    """Shards with the columns that other trainers want; rows and pictures stay as they are."""
    from cogito_data.peers import export_shards

    rows = export_shards(directory, form, out, prompt=prompt)
    say(", ".join(f"{n:,} {split} rows" for split, n in rows.items()) + f" -> {out}")


def main() -> None:
    """Entry point of the console script."""
    run_cli(app)


if __name__ == "__main__":
    main()
