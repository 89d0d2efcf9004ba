"""The published set as a stranger loads it: `datasets`, the revision, nothing of ours but this file.

In a process of its own: `datasets` reads ahead in threads, which holds whole row groups in memory and may abort an
interpreter that ends before they do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from cogito_data.publish.masking import masked
from cogito_data.publish.retry import is_retried

FirstRows = Callable[[str, str, Mapping[str, int]], dict[str, list[dict[str, Any]]]]
"""(repository, commit, split -> how many) -> split -> its first rows: id, problem, answer, picture sizes (pixels)."""


def first_rows(repo: str, commit: str, wanted: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The first rows of every split, streamed, pictures decoded, in this process."""
    from datasets import load_dataset
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    found = {}
    for split, count in wanted.items():
        # Batches as small as what is wanted: by default it would decode a whole row group.
        rows = load_dataset(repo, revision=commit, split=split, streaming=True, batch_size=count)
        found[split] = [
            {
                **{name: row[name] for name in ("id", "problem", "answer")},
                "sizes": [list(picture.size) for picture in row["images"]],
            }
            for row in rows.take(count)
        ]
    return found


def first_rows_apart(repo: str, commit: str, wanted: Mapping[str, int]) -> dict[str, list[dict[str, Any]]]:
    """The same from a process of its own.

    Raises:
        ConnectionError: it failed in a way that a second try may mend.
        RuntimeError: `datasets` cannot load the set; its own words, without a token.
    """
    command = [sys.executable, "-m", __name__, repo, commit, json.dumps(dict(wanted))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    try:
        answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise RuntimeError(f"loading ended with code {done.returncode}: {masked(last)}") from None
    if "error" in answer:
        raise (ConnectionError if answer["retry"] else RuntimeError)(answer["error"])
    rows: dict[str, list[dict[str, Any]]] = answer["rows"]
    return rows


def _main() -> None:
    repo, commit, wanted = sys.argv[1:]
    try:
        answer: dict[str, Any] = {"rows": first_rows(repo, commit, json.loads(wanted))}
    except Exception as error:
        text = masked(f"{type(error).__name__}: {' '.join(str(error).split())}")
        answer = {"error": text[:500], "retry": is_retried(error)}
    print(json.dumps(answer), flush=True)
    # Not sys.exit: threads that read ahead would abort a normal end.
    os._exit(0)


if __name__ == "__main__":
    _main()
