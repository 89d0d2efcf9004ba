"""What `cogito-data publish` does, from the checks to the line that says where the set is."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cogito_core.console import CogitoError, UsageError, say, table, warn
from cogito_data.publish.assemble import make_bundle
from cogito_data.publish.bundle import Bundle
from cogito_data.publish.facts import read_facts
from cogito_data.publish.hub import Hub
from cogito_data.publish.licences import refuse_forbidden
from cogito_data.publish.plan import Plan, make_plan
from cogito_data.publish.readback import read_back
from cogito_data.publish.retry import HubFailure
from cogito_data.publish.stranger import FirstRows, first_rows_apart
from cogito_data.publish.upload import State, clean_up, look, send, staging_branches

MEGA = 1e6

_REF = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/-]*")


@dataclass(frozen=True)
class Wish:
    """What the user asked for."""

    repo: str
    branch: str = "main"
    tag: str | None = None
    private: bool = False
    overwrite: bool = False
    allowed: Sequence[str] = ()
    message: str | None = None


def run_publish(run: Path, wish: Wish, *, dry_run: bool) -> None:
    """Publish a finished build, or show what would be sent.

    Raises:
        CogitoError: the build is not finished, its licences forbid it, or the Hub says no.
    """
    check_names(wish)
    bundle = prepare(run, wish)
    hub = Hub(wish.repo)
    if dry_run:
        show_plan(hub, bundle, wish)
        return
    commit = publish(hub, bundle, wish)
    say(f"{_address(wish.repo)}/tree/{wish.tag or commit}")


def check_names(wish: Wish) -> None:
    """Branch and tag must be names that git takes. Raises UsageError before anything is done."""
    for option, name in (("--branch", wish.branch), ("--tag", wish.tag)):
        if name is not None and (not _REF.fullmatch(name) or ".." in name or name.endswith((".", "/", ".lock"))):
            raise UsageError(f"{option} '{name}': git takes no such name; use letters, digits, '.', '-', '_' and '/'")


def prepare(run: Path, wish: Wish) -> Bundle:
    """The checked content of a build. Raises CogitoError before anything is asked of the Hub."""
    facts = read_facts(run)
    rows = {name: sum(one.rows.values()) for name, one in facts.sources.items()}
    terms = refuse_forbidden(rows, {name: one.terms for name, one in facts.sources.items()}, wish.allowed)
    for name, one in facts.sources.items():
        one.terms = terms[name]
    if facts.recipe.any_split:
        warn("this build also took upstream's validation and test splits (any_split: true); the card says so")
    return make_bundle(facts, wish.repo)


def publish(hub: Hub, bundle: Bundle, wish: Wish, first_rows: FirstRows = first_rows_apart) -> str:
    """Bring the Hub to hold the bundle; returns the commit. Safe to run again after any failure or kill.

    `first_rows` loads the published set back through `datasets`.
    """
    visibility = hub.visibility()
    if visibility == "public" and wish.private:
        raise CogitoError(f"{wish.repo} is public already: make it private on the Hub first, or leave --private out")
    if visibility is None:
        hub.create(wish.private)
    branches, tags = hub.refs()
    if wish.tag in tags and not _holds(hub, bundle, tags[wish.tag]):
        raise CogitoError(f"{wish.repo} has a tag {wish.tag} with other content: choose another name")
    if wish.branch not in branches:
        hub.create_branch(wish.branch, hub.head("main"))
    state = look(hub, bundle, wish.branch)
    commit = send(hub, bundle, wish.branch, state, message=wish.message or _message(bundle), overwrite=wish.overwrite)
    _say_sent(state.plan)
    rows = read_back(hub, bundle, commit, first_rows)
    say(
        f"read back at {commit[:12]}: {len(bundle.files)} files by hash, "
        + ", ".join(f"{n:,} {split} rows" for split, n in rows.items())
        + ", pictures decode"
    )
    if wish.tag is not None and wish.tag not in tags:
        hub.create_tag(wish.tag, commit)
    clean_up(hub, bundle)
    return commit


def show_plan(hub: Hub, bundle: Bundle, wish: Wish) -> None:
    """What a publish would send, file by file; where the Hub does not answer, the files of the set. Only reads."""
    try:
        user, visibility = hub.user(), hub.visibility()
    except HubFailure as failure:
        if failure.status is not None:
            raise
        warn(f"{failure}; so these are the files of the set, and which of them the Hub has already is not known")
        rows = _plan_rows(bundle, make_plan(bundle, {}, {}), None)
        table(f"{wish.repo}, branch {wish.branch}", ["file", "bytes", "rows"], [row[:3] for row in rows])
        total = sum(file.size for file in bundle.files.values())
        say(f"{len(rows)} files, {total / MEGA:,.1f} MB; nothing was changed")
        return
    if visibility is None:
        state = None
        plan = make_plan(bundle, {}, {})
        kind = "private" if wish.private else "public"
        say(f"{wish.repo} does not exist (for this token) and would be created, {kind}")
    else:
        branches = hub.refs()[0]
        state = look(hub, bundle, wish.branch if wish.branch in branches else "main")
        plan = state.plan
        for name in staging_branches(hub):
            say(f"{name}: an unfinished publish; its files are not sent again if they are the same")
    table(f"{wish.repo}, branch {wish.branch}", ["file", "bytes", "rows", "what"], _plan_rows(bundle, plan, state))
    say(
        f"{len(plan.add)} files, {plan.bytes_to_send / MEGA:,.1f} MB to send; {len(plan.same)} files are there "
        f"already; {len(plan.delete)} would be removed; as {user or 'nobody (no token: run `hf auth login`)'}; "
        "nothing was changed"
    )


def _plan_rows(bundle: Bundle, plan: Plan, state: State | None) -> list[list[object]]:
    there = state.tree if state is not None else {}
    rows: list[list[object]] = []
    added = {one.path for one in plan.add}
    for path, file in sorted(bundle.files.items()):
        what = "already there" if path not in added else "changed" if path in there else "new"
        rows.append([path, f"{file.size:,}", f"{bundle.rows[path]:,}" if path in bundle.rows else "", what])
    rows += [[path, f"{there[path].size:,}", "", "removed"] for path in plan.delete]
    return rows


def _holds(hub: Hub, bundle: Bundle, commit: str) -> bool:
    """Whether a commit holds the bundle, whatever else it holds."""
    tree = hub.tree(commit)
    return all(file.equals(tree.get(path)) for path, file in bundle.files.items())


def _message(bundle: Bundle) -> str:
    return "Publish " + ", ".join(f"{n:,} {split}" for split, n in bundle.splits.items()) + " rows with cogito-data"


def _say_sent(plan: Plan) -> None:
    if plan.is_empty:
        say("nothing to send: every file is there already")
    else:
        say(
            f"published {len(plan.add)} files ({plan.bytes_to_send / MEGA:,.1f} MB) in one commit, "
            f"{len(plan.same)} were there already, {len(plan.delete)} removed"
        )


def _address(repo: str) -> str:
    return f"{os.environ.get('HF_ENDPOINT', 'https://huggingface.co').rstrip('/')}/datasets/{repo}"
