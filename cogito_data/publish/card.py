"""README.md of a published dataset: how to load it, where every row came from, and how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import yaml

from cogito_core.shards import file_schema
from cogito_data.publish import card_build, card_labels
from cogito_data.publish.columns import COLUMNS
from cogito_data.publish.examples import Example, kept_examples, rewritten_examples
from cogito_data.publish.facts import Facts
from cogito_data.publish.front_matter import front_matter
from cogito_data.publish.markdown import block, inline, link, table

SHOWN_CHARACTERS = 600


def dataset_card(facts: Facts, repo: str) -> tuple[str, dict[str, bytes]]:
    """The card and the pictures it shows (path in the repository -> bytes). Depends on the build alone."""
    examples = kept_examples(facts)
    front = yaml.safe_dump(front_matter(facts, repo), sort_keys=False, allow_unicode=True, width=100).strip()
    sections = [
        f"---\n{front}\n---",
        f"# {inline(facts.name)}",
        _opening(facts),
        "## Load",
        _loading(facts, repo),
        "## Examples",
        *(_example(one) for one in examples),
        "## Columns",
        _columns(),
        "## From source to split",
        card_build.funnel(facts),
        "## Sources and licences",
        card_build.licences(facts),
        "## Rewritten questions",
        card_labels.rewrites(facts, rewritten_examples(facts)),
        "## Difficulty",
        card_labels.difficulty(facts),
        "## Duplicates",
        card_build.duplicates(facts),
        "## Decontamination",
        card_build.decontamination(facts),
        "## Rebuild it",
        card_build.rebuild(facts, repo),
        "## Cite",
        _citations(facts),
    ]
    return "\n\n".join(sections) + "\n", {one.asset: one.picture for one in examples if one.asset}


def _opening(facts: Facts) -> str:
    splits = ", ".join(f"{n:,} {split}" for split, n in facts.splits.items())
    categories = ", ".join(f"{n:,} {name}" for name, n in facts.categories.most_common())
    text = (
        f"{facts.total:,} questions with pictures and verifiable answers ({splits}), for training and measuring "
        f"vision-language models that reason. By category: {categories}. Built with cogito-data "
        f"{inline(facts.provenance.get('cogito', ''))}."
    )
    if facts.recipe.any_split:
        text += (
            "\n\n> **Not for training or for reported results**: this build also took upstream's validation and test "
            "splits (`any_split: true`)."
        )
    return text


def _loading(facts: Facts, repo: str) -> str:
    split = next(iter(facts.splits))
    code = (
        "from datasets import load_dataset\n"
        f'rows = load_dataset("{repo}", split="{split}")\n'
        'rows[0]["problem"], rows[0]["images"][0], rows[0]["answer"]'
    )
    return "\n\n".join(
        [
            block(code, "python"),
            f"TRL and EasyR1 train on it as it is: `GRPOTrainer(..., train_dataset=rows)`, and "
            f"`data.train_files={repo}@{split} data.prompt_key=problem`. verl wants a few columns more: "
            "`cogito-data export SNAPSHOT --format verl`. `cogito_train.integrations.verdicts.verdict_on(response, "
            'row["answer"], row)` judges an answer by its row\'s rule (`pip install cogito-vlm`).',
        ]
    )


def _example(one: Example) -> str:
    sample = one.sample
    parts = [f"### {inline(sample.category)}: {inline(sample.id)}"]
    if one.asset:
        parts.append(f"![picture of the row]({one.asset})")
    parts.append(block(sample.problem[:SHOWN_CHARACTERS], "text"))
    facts = [f"gold {inline(sample.answer, 200)} ({inline(sample.answer_kind)})"]
    if sample.pass_rate is not None:
        facts.append(f"pass rate {sample.pass_rate:.2f} of {sample.n_trials} trials")
    parts.append("; ".join(facts))
    return "\n\n".join(parts)


def _columns() -> str:
    rows = [
        [f"`{field.name}`", f"`{_type(field)}`", COLUMNS[field.name][0],
         "null before it is measured" if COLUMNS[field.name][1] else ""]
        for field in file_schema()
    ]  # fmt: skip
    return table(["column", "type", "meaning", "null"], rows)


def _type(field: pa.Field) -> str:
    # Arrow also names the elements of a list, which tells a reader nothing.
    return "list<Image>" if field.name == "images" else str(field.type).replace("item: ", "")


def _citations(facts: Facts) -> str:
    entries = [
        f"{link(one.title, one.manifest.homepage)}\n\n{block(one.manifest.citation, 'bibtex')}"
        for _, one in sorted(facts.sources.items())
        if one.manifest is not None
    ]
    own = "The recipe follows VL-Cogito (arXiv 2507.22607)."
    return "\n\n".join([_cite_all(entries), own] if entries else [own])


def _cite_all(entries: Sequence[str]) -> str:
    return "Whoever uses the rows cites where they come from:\n\n" + "\n\n".join(entries)
