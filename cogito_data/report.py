"""`report.html` of a build: one self-contained file that opens offline."""

from __future__ import annotations

from collections import Counter
from heapq import nsmallest
from typing import TYPE_CHECKING, Any

import numpy as np

from cogito_core.charts import bar_chart
from cogito_core.engines.base import seed_of
from cogito_core.html import Card, Page
from cogito_data.noise import NOTE_ON_NOISE, NOTE_ON_REWRITES

if TYPE_CHECKING:
    from cogito_data.pipeline import Build
    from cogito_data.recipe import Difficulty
    from cogito_data.trials import Measured

EXAMPLES = 12
PAIRS = 8

_STAGES = (
    (
        "broken",
        (
            "missing_field",
            "wrong_type",
            "unreadable",
            "empty_question",
            "empty_gold",
            "gold_not_in_choices",
            "bad_choices",
            "duplicate_id",
            "no_picture",
            "picture_missing",
            "picture_damaged",
            "unsafe_path",
            "unclear_gold",
            "bad_id",
        ),
    ),
    ("unverifiable", ("unverifiable", "no_consensus")),
    ("evaluation split", ("evaluation_split",)),
    ("duplicate", ("duplicate_bytes", "duplicate_pixels", "duplicate_near", "duplicate_text")),
    ("leaked", ("leak_t1", "leak_t2", "leak_t3")),
    ("not sampled", ("not_sampled",)),
    ("not to be asked", ("unasked",)),
    ("too easy", ("too_easy",)),
    ("too hard", ("too_hard",)),
    ("capped", ("source_cap", "category_cap")),
)


def render(build: Build) -> str:
    """The whole report."""
    page = Page(f"Build of {build.name}", f"{build.funnel.kept:,} of {build.funnel.ingested:,} rows kept")
    tiles = [(f"{build.funnel.ingested:,}", "rows in"), (f"{build.funnel.kept:,}", "rows kept")]
    tiles += [(f"{n:,}", split) for split, n in build.funnel.splits.items()]
    page.tiles(tiles)
    _funnel(page, build)
    _difficulty(page, build)
    _rewrites(page, build)
    _duplicates(page, build)
    _leaks(page, build)
    _licences(page, build)
    _examples(page, build)
    return page.render()


def _funnel(page: Page, build: Build) -> None:
    page.section("Funnel")
    page.paragraph(
        "Every row that came in is either kept or stands in ledger.jsonl with its reason; each line adds up."
    )
    for name, reason in build.absent.items():
        page.paragraph(f"{name} is left out: {reason}.")
    known = {reason for _, reasons in _STAGES for reason in reasons}
    for title, table in (("Source", build.funnel.sources), ("Category", build.funnel.categories)):
        stages = [
            (name, reasons)
            for name, reasons in _STAGES
            if any(counts[reason] for counts in table.values() for reason in reasons)
        ]
        others = sorted(reason for reason in build.funnel.dropped if reason not in known)
        stages += [(reason, (reason,)) for reason in others]
        rows: list[list[Any]] = []
        for name, counts in table.items():
            lost = [sum(counts[reason] for reason in reasons) for _, reasons in stages]
            rows.append([name, counts["ingested"], *lost, counts["kept"], counts["rewritten"]])
        if len(rows) > 1:
            rows.append(["all", *(sum(column) for column in zip(*(row[1:] for row in rows), strict=True))])
        page.table([title, "in", *(name for name, _ in stages), "kept", "rewritten"], rows)


def _difficulty(page: Page, build: Build) -> None:
    settings = build.recipe.difficulty
    if settings is None or not len(build.measured):
        return
    page.section("Difficulty")
    found = build.funnel.difficulty
    saved = 1 - found["trials_asked"] / found["trials_of_all"]
    low, high = settings.keep_counts
    page.paragraph(
        f"{settings.trials} sampled answers of {settings.description}; kept with {low} to {high} right. "
        f"{found['trials_asked']:,} answers were asked for {found['questions']:,} questions"
        + (f", {saved:.0%} fewer than all {settings.trials} for each." if saved > 0 else ".")
    )
    page.paragraph(NOTE_ON_NOISE, soft=True)
    if np.any(build.measured.most > build.measured.right):
        page.paragraph(
            f"The bars count right answers of {settings.trials}. Where the verdict was certain earlier, "
            "the rest is unknown: a bar such as 1-4 says the least and the most that all answers could have shown."
        )
    names, codes = build.pool.codes("source")
    categories, category_codes = build.pool.codes("category")
    _histograms(page, "By source", build, names, codes)
    _histograms(page, "By category", build, categories, category_codes)


MOST_BOUNDS = 12
"""Different pairs of bounds that a histogram shows one by one; with more, they are put together by verdict."""


def _histograms(page: Page, title: str, build: Build, names: list[str], codes: Any) -> None:
    """Right answers of all trials. Where asking stopped early only bounds are known, and the bounds are shown."""
    assert build.recipe.difficulty is not None
    labels = shares_shown(build.measured, build.recipe.difficulty)
    known = sorted(set(labels))
    if all(least == most for least, most, _ in known):
        known = [(n, n, str(n)) for n in range(build.recipe.difficulty.trials + 1)]
    per: dict[str, Counter[tuple[int, int, str]]] = {}
    for row, label in zip(build.measured.rows.tolist(), labels, strict=True):
        per.setdefault(names[codes[row]], Counter())[label] += 1
    page.heading(title)
    page.charts(
        *(
            bar_chart(
                f"{name} ({counts.total():,} questions)",
                [(shown, counts[low, high, shown]) for low, high, shown in known],
                width=max(340, 38 * len(known)),
                height=190,
            )
            for name, counts in sorted(per.items())
        )
    )


def shares_shown(measured: Measured, settings: Difficulty) -> list[tuple[int, int, str]]:
    """(least, most, label) of each measured row: what all its trials could have shown, `3` or `1-4`.

    Sorted, they go from hard to easy.
    """
    low, high = settings.keep_counts
    found = list(zip(measured.right.tolist(), measured.most.tolist(), strict=True))
    early = {pair for pair in found if pair[0] < pair[1]}
    if len(early) <= MOST_BOUNDS:
        return [(least, most, str(least) if least == most else f"{least}-{most}") for least, most in found]
    kept = (low, high, f"kept ({low}-{high})")
    easy, hard = (high + 1, settings.trials, "too easy"), (0, low - 1, "too hard")
    return [
        (least, most, str(least)) if least == most else easy if least > high else hard if most < low else kept
        for least, most in found
    ]


def _rewrites(page: Page, build: Build) -> None:
    page.section("Multiple choice opened")
    page.paragraph("Each rewrite made a round trip: the verifier accepts its gold and refuses every distractor.")
    page.paragraph(NOTE_ON_REWRITES, soft=True)
    rules = sorted({rule for counts in build.funnel.rewrites.values() for rule in counts})
    rows = [[rule, *(counts[rule] for counts in build.funnel.rewrites.values())] for rule in rules]
    page.table(["rule, or why nothing was rewritten", *build.funnel.rewrites], rows)
    texts, codes = build.pool.codes("reformulation")
    opened = np.array([not text.startswith("none") for text in texts], dtype=bool)
    rewritten = np.flatnonzero(opened[codes]) if texts else codes
    page.gallery([_rewrite_card(build, row) for row in _drawn(rewritten, EXAMPLES, build.recipe.seed)])


def _rewrite_card(build: Build, row: int) -> Card:
    sample = build.pool.sample(row)
    before = sample.original_problem + "".join(f"\n- {option}" for option in sample.choices)
    return Card(
        f"{sample.reformulation}: {sample.id}",
        (("before", before), ("gold", sample.original_answer), ("after", sample.problem), ("gold", sample.answer)),
        [picture.bytes for picture in sample.images[:1]],
    )


def _duplicates(page: Page, build: Build) -> None:
    findings = build.findings
    page.section("Duplicates")
    page.paragraph(
        f"{len(findings.pairs):,} rows dropped, each beside the row that stays. {len(findings.refused):,} further "
        "pairs were nominated by the perceptual hash and refused by their pixels. "
        f"{len(findings.contradictions):,} pairs ask the same question of the same picture with different golds; "
        "both stay and are listed for a person to judge."
    )
    for kept, dropped, reason, evidence in findings.pairs[:PAIRS]:
        page.gallery(
            [
                _card(build, f"kept: {build.pool.name(kept)}", kept, None, ""),
                _card(build, f"{reason}: {build.pool.name(dropped)}", dropped, False, evidence),
            ]
        )
    for title, pairs in (
        ("Refused by their pixels", [(a, b, said) for a, b, said in findings.refused[:PAIRS]]),
        ("Same question, another gold", [(a, b, "") for a, b in findings.contradictions[:PAIRS]]),
    ):
        if pairs:
            page.heading(title)
        for one, other, said in pairs:
            page.gallery(
                [
                    _card(build, build.pool.name(one), one, None, ""),
                    _card(build, build.pool.name(other), other, None, said),
                ]
            )


def _leaks(page: Page, build: Build) -> None:
    names = [probe.name for probe in build.recipe.decontaminate.against]
    if not names:
        return
    page.section("Benchmark leaks")
    counts = Counter((hit.benchmark, hit.tier, "dropped" if hit.dropped else "flagged") for hit in build.hits)
    page.paragraph(
        "T1: same picture, similar question. T2: same picture only. T3: text and answer, no picture to compare. "
        "The whole table is leaks.jsonl."
    )
    compared = Counter(item.benchmark for item in build.probes)
    absent = [name for name in names if not compared[name]]
    counted = ", ".join(f"{name} ({n:,})" for name, n in compared.items())
    page.paragraph(f"Compared with {counted or 'nothing'}.")
    if absent:
        page.paragraph(f"Not compared, because their files could not be read: {', '.join(absent)}.")
    page.table(["benchmark", "tier", "what was done", "rows"], [[*key, n] for key, n in sorted(counts.items())])
    for hit in sorted(build.hits, key=lambda hit: (hit.tier, hit.row))[:PAIRS]:
        item = build.probes[hit.probe]
        data = item.picture_bytes()
        theirs = Card(
            f"{item.benchmark} {item.id}",
            (("question", item.question), ("answer", item.answer)),
            [data] if data else [],
        )
        page.gallery([_card(build, f"{hit.tier}: {hit.id}", hit.row, not hit.dropped, hit.evidence), theirs])


def _licences(page: Page, build: Build) -> None:
    page.section("Licences")
    rows: dict[str, tuple[str, str, str]] = {}
    names, codes = build.pool.codes("source")
    for code, name in enumerate(names):
        text = build.pool.text(int(np.argmax(codes == code)))
        rows[name] = (text["license"], text["upstream_url"], text["upstream_revision"])
    page.table(["source", "licence", "upstream", "revision"], [[name, *values] for name, values in rows.items()])


def _examples(page: Page, build: Build) -> None:
    page.section("Examples that were kept")
    train = build.splits.get("train", build.pool.rows[:0])
    page.gallery(
        [_card(build, build.pool.name(row), row, None, "") for row in _drawn(train, EXAMPLES, build.recipe.seed)]
    )


def _card(build: Build, title: str, row: int, verdict: bool | None, evidence: str) -> Card:
    sample = build.pool.sample(row)
    fields = [("question", sample.problem), ("gold", sample.answer)]
    found = build.measured.columns(row)
    if found is not None:
        fields.append(("pass rate", f"{found['pass_rate']:.3g} ({found['n_correct']} of {found['n_trials']} right)"))
    if evidence:
        fields.append(("evidence", evidence))
    return Card(title, fields, [picture.bytes for picture in sample.images[:1]], verdict)


def _drawn(rows: np.ndarray, count: int, seed: int) -> list[int]:
    """`count` rows drawn by seed, in order."""
    return sorted(nsmallest(count, map(int, rows), key=lambda row: seed_of("report", seed, row)))
