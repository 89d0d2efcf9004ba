"""What the user sees: one clear sentence for an error, a bar for long work, plain lines elsewhere."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from cogito_core.masking import mask

if TYPE_CHECKING:
    import typer

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""

EPILOG = "--debug anywhere on the line shows the traceback of an error."
"""Stands below the help of all three programs."""

PLAIN_INTERVAL_S = 5.0
"""Seconds between two progress lines where there is no terminal."""


class CogitoError(Exception):
    """Something the user can act on, said in one sentence. Exit code 1."""

    exit_code = 1


class UsageError(CogitoError):
    """The command line itself is wrong. Exit code 2."""

    exit_code = 2


class MissingExtra(CogitoError):
    """An optional dependency is absent; the sentence says how to install it."""

    def __init__(self, extra: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs the '{extra}' extra: pip install 'cogito-vlm[{extra}]'")


def say(text: str) -> None:
    """A line for the user on standard output, secrets masked."""
    print(mask(text), flush=True)


def warn(text: str) -> None:
    """A line for the user on standard error, secrets masked."""
    print(mask(text), file=sys.stderr, flush=True)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """A table for the user on standard output, numbers right-aligned."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table()
    for i, column in enumerate(columns):
        numeric = all(isinstance(row[i], int | float) for row in rows) and bool(rows)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(f"{cell:.4g}" if isinstance(cell, float) else str(cell)) for cell in row))
    width = None if sys.stdout.isatty() else 140
    say(title)
    Console(width=width).print(shown)


@contextmanager
def progress(total: int | None, label: str, unit: str = "rows") -> Iterator[Callable[[int], None]]:
    """Yield `advance(n)`: a bar with rate and time left on a terminal, a line every 5 s elsewhere."""
    if sys.stderr.isatty():
        with _bar(total, label, unit) as advance:
            yield advance
        return
    started = last = time.monotonic()
    done = 0

    def advance_plain(n: int = 1) -> None:
        nonlocal done, last
        done += n
        now = time.monotonic()
        if now - last >= PLAIN_INTERVAL_S:
            last = now
            warn(_plain_line(label, done, total, unit, now - started))

    yield advance_plain
    if last != started:
        warn(_plain_line(label, done, total, unit, time.monotonic() - started))


def _plain_line(label: str, done: int, total: int | None, unit: str, seconds: float) -> str:
    rate = done / seconds if seconds > 0 else 0.0
    text = f"{label}: {done}{f'/{total}' if total is not None else ''} {unit}, {rate:.1f} {unit}/s"
    if total is not None and rate > 0 and done < total:
        text += f", {(total - done) / rate:.0f} s left"
    return text


@contextmanager
def _bar(total: int | None, label: str, unit: str) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class _Rate(TextColumn):
        def render(self, task: Any) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:.1f} {unit}/s" if speed else "")

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(""))
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(label, total=total)

        def advance(n: int = 1) -> None:
            bar.advance(task, n)

        yield advance


def run_cli(app: typer.Typer) -> None:
    """Run a typer app and turn what goes wrong into one sentence and an exit code.

    Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. `--debug` anywhere on the command line, or
    COGITO_DEBUG=1, shows the traceback instead.
    """
    debug = bool(os.environ.get("COGITO_DEBUG"))
    if "--debug" in sys.argv:
        sys.argv.remove("--debug")
        os.environ["COGITO_DEBUG"] = "1"
        debug = True
    try:
        app()
    except (KeyboardInterrupt, SystemExit) as stop:
        # typer turns Ctrl-C into a silent exit with code 130.
        if isinstance(stop, SystemExit) and stop.code != INTERRUPTED:
            raise
        if debug:
            raise
        warn("interrupted: a run directory keeps what was finished, and the same command goes on from there")
        sys.exit(INTERRUPTED)
    except CogitoError as error:
        if debug:
            raise
        warn(f"error: {error}")
        sys.exit(error.exit_code)
    except BrokenPipeError:
        # The reader (head, less) went away: not our fault, and nothing is left to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        if debug:
            raise
        warn(f"error: {_os_sentence(error)}")
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        warn(f"error: unexpected {type(error).__name__}: {error} (a fault of ours: run again with --debug)")
        sys.exit(1)


def _os_sentence(error: OSError) -> str:
    where = f" at {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk is full{where}; free some space and run the same command again: nothing done is lost"
    if isinstance(error, FileNotFoundError):
        return f"there is no file or folder{where}"
    if isinstance(error, FileExistsError | NotADirectoryError):
        return f"there is a file{where}, where a folder should be"
    if error.errno == errno.EFBIG:
        return f"the file would be larger than this system allows{where} (see ulimit -f)"
    if isinstance(error, PermissionError):
        return f"permission denied{where}"
    return f"{error.strerror or error}{where}"
