"""Sections of the card on how rows came in and out: funnel, licences, duplicates, leaks, how to build it again."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cogito_data.publish.facts import Facts
from cogito_data.publish.markdown import block, inline, link, table

SHOWN_EVIDENCE = 5


def funnel(facts: Facts) -> str:
    """Rows in, rows out and why, for every source of the mix."""
    dropped = facts.summary.get("dropped", {})
    columns = ["source", "in", *(inline(reason) for reason in dropped), "rewritten", *facts.splits]
    rows: list[list[Any]] = []
    for name, counts in facts.summary.get("sources", {}).items():
        lost = [counts.get(reason, 0) for reason in dropped]
        kept = [counts.get(split, 0) for split in facts.splits]
        rows.append([inline(name), counts.get("ingested", 0), *lost, counts.get("rewritten", 0), *kept])
    if len(rows) > 1:
        rows.append(["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))])
    text = (
        "Every row that came in is in a split or was dropped for a reason; each line adds up. The dropped rows stand "
        "with their reasons in `evidence/ledger.jsonl.gz`."
    )
    return f"{text}\n\n{table(columns, rows)}"


def licences(facts: Facts) -> str:
    """A line for every source of the published rows, and what was read at which revision."""
    rows = []
    for _, one in sorted(facts.sources.items()):
        terms = one.terms
        name = link(one.title, one.manifest.homepage) if one.manifest else inline(one.title)
        said = [terms.obligation] if terms.obligation else []
        said += [terms.note] if terms.note and terms.note not in terms.obligation else []
        said += [] if terms.confirmed else ["terms not read in upstream's own files"]
        said += ["published on the publisher's own word that they hold the permission"] if terms.said else []
        rows.append(
            [
                name,
                sum(one.rows.values()),
                link(terms.licence, terms.link),
                inline("; ".join(said)),
                _read_at(one.revisions),
            ]
        )
    text = "Each row carries its source's licence in the column `license`; the strictest one that you use binds you."
    return f"{text}\n\n{table(['source', 'rows', 'licence', 'what it asks', 'read at'], rows)}"


def _read_at(revisions: Counter[tuple[str, str]]) -> str:
    first = sorted(revisions)[:3]
    shown = [link(revision or "no revision stated", url) for url, revision in first]
    more = len(revisions) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")


def duplicates(facts: Facts) -> str:
    """How duplicates were told, how many there were, and a few with their evidence."""
    settings = facts.recipe.deduplicate
    if not settings.enabled:
        return "Duplicates were not looked for."
    text = (
        "Two rows are duplicates if question and answer agree and their pictures have the same bytes, the same "
        f"decoded pixels, or differ after a common resize by at most {settings.mean_difference:g} grey levels of 255 "
        f"on average and {settings.local_difference:g} in the worst 8x8 block. A perceptual hash (within "
        f"{settings.nominate_bits} bits) only nominates pairs. Questions that share a picture all stay."
    )
    found = [row for row in facts.ledger() if row["reason"].startswith("duplicate_")]
    counts = Counter(row["reason"] for row in found)
    if not found:
        return f"{text}\n\nNone were found."
    shown = [
        [inline(row["id"]), inline(row["reason"]), inline(row.get("evidence", ""), 200)]
        for row in found[:SHOWN_EVIDENCE]
    ]
    listed = ", ".join(f"{n:,} {inline(reason)}" for reason, n in counts.most_common())
    return f"{text}\n\nDropped: {listed}. The first of them:\n\n{table(['row', 'reason', 'evidence'], shown)}"


def decontamination(facts: Facts) -> str:
    """Which benchmarks were kept out, how, and what was found."""
    against = facts.recipe.decontaminate.against
    if not against:
        return "No benchmark was compared with: do not report results on one before you have checked."
    text = (
        "Compared with the benchmarks' own files. T1: the same picture and a similar question "
        f"(at least {facts.recipe.decontaminate.similar_question:.0%} alike), dropped. T2: the same picture, another "
        "question, dropped or flagged as said for the benchmark. T3: no picture to compare, but the same answer and "
        "all words of one question in the other, dropped; flagged where more than three rows share the wording."
    )
    hits = list(facts.leaks())
    counts = Counter((hit["benchmark"], hit["tier"], hit["dropped"]) for hit in hits)
    rows = [
        [
            inline(probe.name),
            probe.shared_pictures,
            *(counts[probe.name, tier, True] for tier in ("T1", "T2", "T3")),
            sum(counts[probe.name, tier, False] for tier in ("T1", "T2", "T3")),
        ]
        for probe in against
    ]
    parts = [text, table(["benchmark", "T2 is", "T1 dropped", "T2 dropped", "T3 dropped", "flagged"], rows)]
    if hits:
        shown = [[inline(hit["id"]), hit["tier"], inline(hit["evidence"], 200)] for hit in hits[:SHOWN_EVIDENCE]]
        parts.append("All hits stand in `evidence/leaks.jsonl.gz`. The first:")
        parts.append(table(["row", "tier", "evidence"], shown))
    return "\n\n".join(parts)


def rebuild(facts: Facts, repo: str) -> str:
    """The commands that give the same bytes, and what they depend on."""
    git = facts.provenance.get("git") or {}
    commit = str(git.get("commit", ""))
    dirty = " with local changes" if git.get("dirty") else ""
    settings = facts.recipe.difficulty
    measured = settings if settings is not None and settings.enabled else None
    root = " --from ROOT" if any(one.manifest for one in facts.sources.values()) else ""
    engine = " --engine ENGINE" if measured and measured.engine.startswith("openai:") else ""
    code = (
        f"pip install cogito-vlm=={facts.provenance.get('cogito', '')}\n"
        f"hf download {repo} recipe.yaml --repo-type dataset --local-dir .\n"
        f"cogito-data build --recipe recipe.yaml{root}{engine} -o rebuilt\n"
        f"cogito-data publish rebuilt --repo {repo} --dry-run      # every shard must be said to be there already"
    )
    packages = ", ".join(f"{name} {version}" for name, version in facts.provenance.get("packages", {}).items())
    lines = [
        f"Code: commit `{commit or 'not recorded'}`{dirty}, Python {facts.provenance.get('python', '')}.",
        f"Packages: {inline(packages)}.",
    ]
    if measured is not None:
        revision = facts.config.get("model_revision")
        lines.append(
            f"Difficulty model: {inline(measured.model)}"
            + (f", weights {inline(revision)}." if revision else ", served from outside: its revision is not known.")
        )
    lines.append(
        "`ROOT` holds the sources as of the revisions in the table above; `manifest.json` lists every file with its "
        "SHA-256, `recipe.yaml` is the resolved recipe."
    )
    return block(code, "bash") + "\n\n" + "\n".join(f"- {line}" for line in lines)
