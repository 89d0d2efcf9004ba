"""A peer of bench/eval.py: VLMEvalKit's or lmms-eval's own scoring functions on prepared rows, timed.

    PYTHON bench/eval_worker.py vlmevalkit|lmms ROWS.json

Run by bench/eval.py in an environment of the peer's own; it imports nothing of Cogito. ROWS.json maps the name of a
task to its rows; one JSON object on stdout maps it to the CPU seconds of each slice and the rows scored as right.
lmms-eval is imported as it is installed. VLMEvalKit's package imports every model and data set it knows, so its
modules are loaded below bare packages of their names; what they hold is not touched.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import io
import json
import os
import sys
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

SLICES = 5

Row = dict[str, Any]
Scorer = Callable[[Row], bool]


def vlmevalkit() -> dict[str, Scorer]:
    """Task -> what VLMEvalKit calls before it asks its judge model."""
    spec = importlib.util.find_spec("vlmeval")
    if spec is None or not spec.submodule_search_locations:
        raise ImportError("vlmeval is not installed")
    root = Path(spec.submodule_search_locations[0])
    for name in ("vlmeval", "vlmeval.dataset", "vlmeval.dataset.utils"):
        package = types.ModuleType(name)
        package.__path__ = [str(root.parent / name.replace(".", "/"))]
        sys.modules[name] = package
    can_infer = importlib.import_module("vlmeval.utils").can_infer
    relaxed = importlib.import_module("vlmeval.dataset.utils.vqa_eval").relaxed_correctness
    post_check = importlib.import_module("vlmeval.dataset.utils.mathvista").post_check
    yes_or_no = importlib.import_module("vlmeval.dataset.utils.yorn").YOrN_Extraction
    return {
        "choice": lambda row: can_infer(row["response"], dict(row["letters"])) == row["gold"],
        "chart": lambda row: relaxed(row["gold"], row["response"].strip()),
        "mathvista": lambda row: bool(post_check({
            "question_type": row["question_type"], "answer_type": row["answer_type"], "answer": row["gold"],
            "answer_option": row["letter"], "choices": str(row["texts"]), "res": row["extraction"]})),
        "yes or no": lambda row: yes_or_no(row["response"]).lower() == row["gold"].lower(),
    }


def lmms() -> dict[str, Scorer]:
    """Task -> what the task's process_results calls."""
    # Two tasks build a client of their judge on import; nothing is ever sent.
    os.environ.setdefault("OPENAI_API_KEY", "unused")
    mmstar = importlib.import_module("lmms_eval.tasks.mmstar.utils").exact_match
    relaxed = importlib.import_module("lmms_eval.tasks.chartqa.utils").relaxed_correctness
    mathvision = importlib.import_module("lmms_eval.tasks.mathvision.utils").mathvision_process_results
    mmmu = importlib.import_module("lmms_eval.tasks.mmmu.utils")
    evaluator = importlib.import_module("lmms_eval.tasks.mathvista.mathvista_evals").MathVistaEvaluator()

    def mathvista(row: Row) -> bool:
        found = evaluator.normalize_extracted_answer(row["extraction"], row["texts"], row["question_type"],
                                                     row["answer_type"], row["precision"])
        return bool(evaluator.safe_equal(found, row["gold"]))

    def mathvision_one(row: Row) -> bool:
        found = mathvision({"answer": row["gold"], "options": row["texts"]}, [row["response"]])
        return bool(found["mathvision_standard_eval"]["scores"][0])

    def mmmu_one(row: Row) -> bool:
        if not row["letters"]:
            return bool(mmmu.eval_open(row["gold"], mmmu.parse_open_response(row["response"])))
        read = mmmu.parse_multi_choice_response(row["response"], sorted(row["letters"]), row["letters"])
        return bool(mmmu.eval_multi_choice(row["gold"], read))

    return {
        "choice": lambda row: mmstar(row["response"], row["gold"]) == 1.0,
        "chart": lambda row: relaxed(row["response"].strip(), row["gold"]),
        "mathvista": mathvista,
        "mathvision": mathvision_one,
        "mmmu": mmmu_one,
    }


def timed(score: Scorer, rows: list[Row]) -> dict[str, Any]:
    """CPU seconds of each of the slices, the rows in one, and how many are scored as right; a raise is wrong."""
    size = max(1, len(rows) // SLICES)
    seconds, right, raised = [], 0, 0
    for start in range(0, size * SLICES, size):
        began = time.process_time()
        for row in rows[start : start + size]:
            try:
                right += bool(score(row))
            except Exception:  # A scorer that raises gives no verdict; the count is part of the result.
                raised += 1
        seconds.append(time.process_time() - began)
    return {"seconds": seconds, "rows": size, "right": right, "raised": raised}


def main() -> None:
    """Score every task that the peer has, and print the figures."""
    scorers = {"vlmevalkit": vlmevalkit, "lmms": lmms}[sys.argv[1]]()
    tasks = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
    with contextlib.redirect_stdout(io.StringIO()):
        found = {name: timed(scorers[name], rows) for name, rows in tasks.items() if name in scorers}
    print(json.dumps(found))


if __name__ == "__main__":
    main()
