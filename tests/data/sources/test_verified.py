"""The golds that ingest writes, as the project's verifier reads them: right for themselves, wrong for others."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_realdata import RECORDS, all_rows

from cogito_core.sample import Sample
from cogito_core.verify import verify

pytestmark = pytest.mark.realdata

READ = [record[:3] for record in RECORDS if record[3] < 2600 and record[0] != "mm_iq"]


def outcome(sample: Sample, answer: str) -> str:
    return verify(
        sample.answer, answer, kind=sample.answer_kind, choices=sample.choices, aliases=sample.answer_aliases,
        spec=sample.answer_spec,
    ).outcome


@pytest.mark.parametrize(("name", "folder", "layout"), READ)
def test_golds_and_the_verifier_agree(shared_dir: Path, name: str, folder: str, layout: str) -> None:
    samples, _, _ = all_rows(name, layout, shared_dir / "realdata" / folder)
    for sample in samples[:: max(1, len(samples) // 150)]:
        assert outcome(sample, sample.answer) == "right", sample.id
        for alias in sample.answer_aliases:
            assert outcome(sample, alias) == "right", (sample.id, alias)
        if sample.answer_kind == "number":
            unit = sample.answer_spec.get("unit", "")
            if unit in sample.original_answer:
                assert outcome(sample, f"{sample.answer} {unit}") == "right", (sample.id, unit)
            assert outcome(sample, "-987654.321") == "wrong", sample.id
        elif sample.answer_kind == "yes_no":
            assert outcome(sample, "no" if sample.answer in ("yes", "true") else "yes") == "wrong", sample.id
