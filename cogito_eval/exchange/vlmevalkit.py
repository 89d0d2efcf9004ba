"""VLMEvalKit's prediction tables: `<model>_<DATASET>.tsv` or `.xlsx`, one row a question, `prediction` the answer.

The columns are those of its datasets (`index`, `question`, options `A`, `B`, ..., `answer`, `category`) without the
pictures, as `vlmeval/inference.py` writes them; it reads tab-separated files where PRED_FORMAT=tsv is set and Excel
files otherwise.
"""

from __future__ import annotations

import csv
import importlib
import io
import json
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError
from cogito_core.files import replace_file, write_atomic
from cogito_eval.exchange.predictions import Prediction
from cogito_eval.item import LETTERS
from cogito_eval.results import Row

DATASETS = {
    "ai2d": "AI2D_TEST", "blink": "BLINK", "chartqa": "ChartQA_TEST", "dynamath": "DynaMath", "emma": "EMMA",
    "hallusionbench": "HallusionBench", "logicvista": "LogicVista", "mathverse": "MathVerse_MINI",
    "mathvision": "MathVision", "mathvista": "MathVista_MINI", "mmmu": "MMMU_DEV_VAL", "mmstar": "MMStar",
    "olympiadbench": "OlympiadBench", "scienceqa": "ScienceQA_TEST", "visulogic": "VisuLogic", "wemath": "WeMath",
}  # fmt: skip
"""Our name -> VLMEvalKit's; a benchmark that it does not have keeps ours."""

CELL_CHARACTERS = 32_767
"""What an Excel cell holds; longer text would be cut without a word."""


def dataset_name(bench: str) -> str:
    """VLMEvalKit's name of a benchmark."""
    return DATASETS.get(bench, bench)


def table_of(rows: Iterable[Row], sample: int) -> tuple[list[str], list[dict[str, Any]]]:
    """(columns, records) of one sample of every question. Raises CogitoError where no row is of that sample."""
    chosen = [row for row in rows if row["sample"] == sample]
    if not chosen:
        raise CogitoError(f"there is no sample {sample}: samples count from 0")
    most = max(len(row["choices"]) for row in chosen)
    columns = ["index", "question", *LETTERS[:most], "answer", "category", "split", "prediction"]
    return columns, [_record(row, most) for row in chosen]


def _record(row: Row, most: int) -> dict[str, Any]:
    options = {LETTERS[i]: row["choices"][i] if i < len(row["choices"]) else "" for i in range(most)}
    first = next(iter(row["tags"].values()), [""])
    question = row["question"].partition("\nChoices:\n")[0]
    return {
        "index": row["id"], "question": question.replace("<image>", "").strip(), **options,
        "answer": row["gold"], "category": ", ".join(first), "split": row["part"], "prediction": row["response"],
    }  # fmt: skip


def write_table(path: Path, columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    """Write `.tsv`, `.json` or `.xlsx`. Raises CogitoError for another suffix, or text too long for Excel."""
    if path.suffix == ".tsv":
        out = io.StringIO()
        writer = csv.DictWriter(out, columns, delimiter="\t", quoting=csv.QUOTE_ALL, lineterminator="\n")
        writer.writeheader()
        writer.writerows(records)
        write_atomic(path, out.getvalue())
    elif path.suffix == ".json":
        write_atomic(path, json.dumps(list(records), indent=4, ensure_ascii=False) + "\n")
    elif path.suffix == ".xlsx":
        _write_excel(path, columns, records)
    else:
        raise CogitoError(f"{path}: VLMEvalKit reads .tsv, .json and .xlsx")


def read_predictions(path: Path) -> list[Prediction]:
    """The answers of a table.

    Raises:
        CogitoError: the file is no such table, or lacks `index` or `prediction`.
    """
    records = _read(path)
    found = []
    for number, record in enumerate(records, 2):
        for column in ("index", "prediction"):
            if column not in record:
                raise CogitoError(f"{path} has no column '{column}': it is no table of VLMEvalKit's predictions")
        index = re.sub(r"\.0$", "", str(record["index"]).strip())
        if not index:
            raise CogitoError(f"{path} row {number}: the index is empty")
        question = record.get("question")
        text = _whole_answer(record)
        found.append(Prediction(index, str(question) if question not in (None, "") else None, (text,)))
    return found


def _whole_answer(record: Mapping[str, Any]) -> str:
    """With SPLIT_THINK the reasoning stands in a column of its own."""
    text = "" if record["prediction"] is None else str(record["prediction"])
    thinking = record.get("thinking")
    return f"<think>{thinking}</think>{text}" if thinking else text


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        if path.suffix == ".tsv":
            csv.field_size_limit(min(sys.maxsize, 2**31 - 1))
            with path.open(encoding="utf-8-sig", newline="") as handle:
                return list(csv.DictReader(handle, delimiter="\t"))
        if path.suffix == ".json":
            loaded = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(loaded, list) and all(isinstance(one, dict) for one in loaded):
                return loaded
            raise CogitoError(f"{path} holds no list of records")
        if path.suffix == ".xlsx":
            return _read_excel(path)
    except FileNotFoundError:
        raise CogitoError(f"there is no file {path}") from None
    except (ValueError, csv.Error) as error:
        raise CogitoError(f"{path} cannot be read: {error}") from error
    raise CogitoError(f"{path}: VLMEvalKit's tables end in .tsv, .json or .xlsx")


def _openpyxl(part: str = "") -> Any:
    try:
        return importlib.import_module(f"openpyxl{part}")
    except ImportError:
        raise CogitoError(
            "Excel files need openpyxl: pip install openpyxl, or use .tsv (VLMEvalKit: PRED_FORMAT=tsv)"
        ) from None


def _write_excel(path: Path, columns: Sequence[str], records: Sequence[Mapping[str, Any]]) -> None:
    illegal = _openpyxl(".cell.cell").ILLEGAL_CHARACTERS_RE
    lines = [[illegal.sub(" ", str(record[column])) for column in columns] for record in records]
    for record, line in zip(records, lines, strict=True):
        for column, text in zip(columns, line, strict=True):
            if len(text) > CELL_CHARACTERS:
                raise CogitoError(f"{record['index']}: {column} is too long for an Excel cell; write .tsv instead")
    book = _openpyxl().Workbook(write_only=True)
    sheet = book.create_sheet()
    for line in [list(columns), *lines]:
        cells = [_openpyxl(".cell").WriteOnlyCell(sheet, text) for text in line]
        for cell in cells:
            # Text that begins with "=" stays text: a formula of a model's must not run in a spreadsheet.
            cell.data_type = "s"
        sheet.append(cells)
    with replace_file(path) as aside:
        book.save(aside)


def _read_excel(path: Path) -> list[dict[str, Any]]:
    try:
        book = _openpyxl().load_workbook(path, read_only=True)
    except (zipfile.BadZipFile, KeyError) as error:
        raise CogitoError(f"{path} is no Excel file: {error}") from error
    lines = book.active.iter_rows(values_only=True)
    head = [str(name) for name in next(lines, ())]
    records = [dict(zip(head, line, strict=False)) for line in lines]
    book.close()
    return records
