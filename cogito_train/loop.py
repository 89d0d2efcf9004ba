"""The training loop of PCuRL, stage by stage. It reads from top to bottom:

for each stage: for each step: draw prompts, ask each one several times, judge the answers, turn verdicts
into rewards, weights and advantages, update the policy; now and then validate and write a checkpoint. At
the end of a stage the best validated weights are handed to the next one.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cogito_core.console import CogitoError, say
from cogito_core.engines.base import Chat, Sampling
from cogito_core.engines.encode import Encoded, RequestError
from cogito_core.files import write_atomic
from cogito_core.prompts import build_chat
from cogito_core.runs import RunDir
from cogito_core.sample import Sample
from cogito_train.card import write_card
from cogito_train.checkpoint import Progress, load_checkpoint, load_progress, save_checkpoint
from cogito_train.config import Stage, TrainRecipe
from cogito_train.loggers import Loggers
from cogito_train.optim import new_optimizer, set_rate
from cogito_train.parallel import World
from cogito_train.parity import probe_chats
from cogito_train.plan import load_config, model_size
from cogito_train.policy import Policy
from cogito_train.preflight import (
    check_disk,
    check_first_rollouts,
    check_memory,
    count_prompt_tokens,
    unusable_golds,
)
from cogito_train.report import write_report
from cogito_train.rollout import Refused, RolloutGroup, roll_out
from cogito_train.rollout_engine import RolloutEngine
from cogito_train.scores import StepScores, score_groups
from cogito_train.stages import (
    StageOrder,
    TrainingData,
    check_filters,
    select_rows,
    stage_steps,
    validation_samples,
)
from cogito_train.telemetry import Clock, MetricsFile, peak_memory, readable_line, record_rollouts, step_metrics
from cogito_train.update import TrainingGroup, score_old, update_policy
from cogito_train.validate import validate
from cogito_train.watchdog import stacks_when_late


class Trainer:
    """All stages of one run. `run` is the open run directory on the main process and None on the others."""

    def __init__(self, recipe: TrainRecipe, directory: Path, run: RunDir | None, world: World) -> None:
        self.recipe, self.directory, self.run_dir, self.world = recipe, directory, run, world
        self.data = TrainingData.open(recipe.data)
        self.bad_golds = unusable_golds(self.data.train)
        bad_held_out = unusable_golds(self.data.validation) if self.data.validation is not None else {}
        check_filters(self.data.train, recipe.stages, self.bad_golds)
        self.held_out = validation_samples(self.data, recipe.validation.rows, bad_held_out)
        check_memory(recipe, model_size(load_config(recipe.model, recipe.revision)), world)
        self.policy = Policy(recipe, world)
        self.policy.scorer.train()
        probe = probe_chats(self.data.train, recipe.prompt, self._too_long)
        self.rollouts = RolloutEngine(self.policy, directory, probe, self._pushed)
        self.progress = Progress(start_weights=str(self.policy.folder), reference=str(self.policy.folder))
        self.metrics = MetricsFile(directory / "metrics.jsonl") if run is not None else None
        self.loggers = Loggers(directory, directory.name, recipe.model_dump()) if run is not None else None
        refusals = [*self.bad_golds.values(), *bad_held_out.values()]
        for refused in refusals:
            self._drop(refused, "gold_not_accepted")
        if refusals:
            self._say(
                f"left out, as their gold cannot be used (see ledger.jsonl): {len(refusals)} rows, the first "
                f"{refusals[0].id}: {refusals[0].reason}"
            )
        if run is not None:
            check_disk(directory, sum(p.numel() for p in self.policy.scorer.parameters()), recipe)

    def train(self) -> dict[str, Any]:
        """Run what is left of all stages; returns the summary."""
        self.optimizer = new_optimizer(self.policy, self.recipe.optimizer)
        resumed = self._resume()
        for number in range(self.progress.stage, len(self.recipe.stages)):
            if not (resumed and number == self.progress.stage):
                self._start_stage(number)
            resumed = False
            self._train_stage(self.recipe.stages[number])
            self._finish_stage(self.recipe.stages[number])
        summary = {"stages": self.progress.finished, "final": "final"}
        self._export_final(summary)
        return summary

    def close(self) -> None:
        """Let go of the engine that answers."""
        self.rollouts.close()

    def _start_stage(self, number: int) -> None:
        stage, before = self.recipe.stages[number], self.progress
        if number > 0:
            kept = before.finished[-1]["weights"]
            reference = kept if self.recipe.hand_over.reference == "move" else before.reference
            self.policy.load_weights(self.directory / kept)
            if self.recipe.hand_over.optimizer == "reset":
                self.optimizer = new_optimizer(self.policy, self.recipe.optimizer)
            self.progress = Progress(stage=number, start_weights=kept, reference=reference, finished=before.finished)
            if before.finished[-1]["validation"] is not None:
                self.progress.best_step, self.progress.best_accuracy = 0, before.finished[-1]["validation"]
        self._event("stage", name=stage.name, start=self.progress.start_weights, reference=self.progress.reference)
        self.rollouts.mark_stale()
        if number == 0 and self.recipe.validation.at_start:
            self._validate(stage)
        self._checkpoint(stage)
        self._forget_earlier_checkpoints(number)

    def _train_stage(self, stage: Stage) -> None:
        rows = select_rows(self.data.train, stage.filter, self.bad_golds)
        order = StageOrder(rows, run_seed=self.recipe.seed, stage=stage)
        steps = stage_steps(stage, len(rows), self.recipe)
        reference = None
        if self.recipe.objective.kl > 0:
            reference = self.policy.reference(self.directory / self.progress.reference)
        while self.progress.step < steps:
            started = time.perf_counter()
            clock = Clock()
            with self._phase("sampling"):
                groups, scores = self._answers(stage, order)
            clock.lap("rollout")
            peaks = {"rollout": self._peak()}
            if self.recipe.check_first_rollouts and self.progress.stage == self.progress.step == 0:
                check_first_rollouts(scores)
            with self._phase("updating"):
                sums = self._update(stage, groups, scores, reference)
            clock.lap("update")
            peaks["update"] = self._peak()
            self.progress.step += 1
            seconds = time.perf_counter() - started
            self._record(stage, groups, scores, sums, steps, seconds, {**clock.laps, "peak_gib": peaks})
            last = self.progress.step == steps
            if self.progress.step % self.recipe.validation.every == 0 or last:
                self._validate(stage)
            if self.progress.step % self.recipe.checkpoint_every == 0 or last:
                self._checkpoint(stage)

    def _answers(self, stage: Stage, order: StageOrder) -> tuple[list[RolloutGroup], StepScores]:
        """The groups of one step, the same on every process. With dynamic sampling, prompts whose rewards
        do not differ are replaced by further ones, for so many rounds.
        """
        wanted = self.recipe.prompts_per_step
        kept: list[RolloutGroup] = []
        spare: list[RolloutGroup] = []
        for attempt in range(1 + self.recipe.dynamic_sampling):
            missing = wanted - len(kept)
            rows = order.slice(self.progress.position, missing)
            self.progress.position += missing
            fresh = self._roll_out(stage, rows, attempt)
            if not fresh:
                continue
            signal = self._score(stage, fresh).signal
            if self.recipe.dynamic_sampling == 0:
                kept = fresh
                break
            kept += [group for group, differs in zip(fresh, signal, strict=True) if differs]
            spare += [group for group, differs in zip(fresh, signal, strict=True) if not differs]
            if len(kept) == wanted:
                break
        groups = kept or spare[:wanted]
        if not groups:
            raise CogitoError(
                f"none of the prompts of step {self.progress.step + 1} of stage {stage.name} could be asked; "
                f"the reasons are in {self.directory / 'ledger.jsonl'}"
            )
        return groups, self._score(stage, groups)

    def _score(self, stage: Stage, groups: list[RolloutGroup]) -> StepScores:
        limit = self.recipe.max_response_tokens
        return score_groups(groups, stage, self.recipe.objective, max_response_tokens=limit)

    def _roll_out(self, stage: Stage, rows: list[int], attempt: int) -> list[RolloutGroup]:
        mine = self.world.mine(rows)
        with self.rollouts.asking() as engine:
            groups, refused = roll_out(
                engine,
                [self.data.train[row] for row in mine],
                prompt=self.recipe.prompt,
                num_samples=self.recipe.samples_per_prompt,
                sampling=Sampling(
                    temperature=self.recipe.temperature,
                    max_tokens=self.recipe.max_response_tokens,
                    logprobs=True,
                ),
                seed_parts=("rollout", self.recipe.seed, stage.seed, stage.name, self.progress.step, attempt),
                refuse=self._too_long,
            )
        answered = {group.sample.id: (group.answers, group.verdicts) for group in groups}
        refusals = {item.id: item for item in refused}
        share = [(row, answered.get(sample_id), refusals.get(sample_id)) for row, sample_id in self._ids(mine)]
        out = []
        for row, answer, refusal in self.world.gather(share):
            if refusal is not None:
                self._drop(refusal, "not_askable")
            elif answer is not None:
                out.append(RolloutGroup(self.data.train[row], *answer))
        return out

    def _update(
        self, stage: Stage, groups: list[RolloutGroup], scores: StepScores, reference: Any
    ) -> dict[str, float]:
        """All optimiser updates of one step; sums over tokens of all of them."""
        size, limit = self.recipe.prompts_per_update, self.recipe.micro_batch_tokens
        trained = [
            TrainingGroup(
                encode=self._encoder(group.sample),
                num_prompt_tokens=group.answers[0].n_prompt_tokens,
                answers=[answer.token_ids for answer in group.answers],
                advantages=scores.advantages[number],
                engine_logprobs=group.engine_logprobs,
                keep=~group.truncated if self.recipe.objective.drop_truncated else group.truncated | True,
            )
            for number, group in enumerate(groups)
        ]
        chunks = [
            [part for group in self.world.mine(trained[start : start + size]) for part in group.split(limit)]
            for start in range(0, len(trained), size)
        ]
        # Later updates of the step are off-policy: their old log-probabilities come from before the first one.
        old = [None, *(score_old(self.policy, chunk, self.world) for chunk in chunks[1:])]
        totals: dict[str, float] = {}
        for number, chunk in enumerate(chunks):
            set_rate(self.optimizer, self.recipe.optimizer, stage, self.progress.updates)
            sums = update_policy(self.policy, self.optimizer, reference, chunk, self.world, old_logprobs=old[number])
            self.progress.updates += 1
            for key, value in sums.items():
                totals[key] = max(totals.get(key, 0.0), value) if key == "gap_max" else totals.get(key, 0.0) + value
        for key in ("loss", "grad_norm"):
            totals[key] /= len(chunks)
        self.rollouts.mark_stale()
        return totals

    def _validate(self, stage: Stage) -> None:
        if not self.held_out:
            return
        with self._phase("validating") as clock, self.rollouts.asking() as engine:
            result = validate(engine, self.held_out, self.recipe, self.world)
        progress = self.progress
        progress.validations.append({"step": progress.step, **result})
        is_best = progress.best_accuracy is None or result["accuracy"] > progress.best_accuracy
        if is_best:
            progress.best_step, progress.best_accuracy = progress.step, result["accuracy"]
            if progress.step > 0:
                self.policy.export(self._candidate(stage, progress.step), dtype="float32")
        mark = " (best so far)" if is_best else f" (best {progress.best_accuracy:.1%} at {progress.best_step})"
        self._say(f"{stage.name} {progress.step}: held-out accuracy {result['accuracy']:.1%}{mark}")
        self._event("validation", stage=stage.name, step=progress.step, **clock.laps, **result)

    def _finish_stage(self, stage: Stage) -> None:
        """Put the chosen weights into `stages/<name>/best` and write down what is handed on."""
        progress = self.progress
        best = self._folder(stage) / "best"
        step = progress.step if self.recipe.hand_over.weights == "last" else progress.best_step
        if step is None or step == progress.step:
            step = progress.step
            self.policy.export(best, dtype="float32")
        elif step == 0:
            self.policy.load_weights(self.directory / progress.start_weights)
            self.policy.export(best, dtype="float32")
        elif self.world.is_main and self._candidate(stage, step).exists():
            shutil.rmtree(best, ignore_errors=True)
            self._candidate(stage, step).rename(best)
        self.world.barrier()
        chosen = [v["accuracy"] for v in progress.validations if v["step"] == step]
        accuracy = chosen[0] if chosen else progress.best_accuracy if step == progress.best_step else None
        progress.finished.append(
            {
                "name": stage.name,
                "steps": progress.step,
                "best_step": step,
                "validation": accuracy,
                "weights": best.relative_to(self.directory).as_posix(),
                "validations": progress.validations,
            }
        )
        self._event("hand_over", stage=stage.name, step=step, validation=accuracy)
        shown = "not validated" if accuracy is None else f"held-out accuracy {accuracy:.1%}"
        self._say(f"stage {stage.name} hands on its weights of step {step} ({shown})")
        if self.world.is_main:
            shutil.rmtree(self._folder(stage) / "candidates", ignore_errors=True)

    def _resume(self) -> bool:
        """Load the newest checkpoint if there is one."""
        for number in reversed(range(len(self.recipe.stages))):
            stage = self.recipe.stages[number]
            folder = self._checkpoint_folder(stage)
            found = load_progress(folder)
            if found is None:
                continue
            self.progress = found
            if self.recipe.lora.rank:
                self.policy.load_weights(self.directory / found.start_weights)
            load_checkpoint(folder, self.policy, self.optimizer, self.world)
            if self.metrics is not None:
                self.metrics.cut_back([s.name for s in self.recipe.stages], number, found.step)
            self._forget_earlier_checkpoints(number)  # the kill may have fallen before it
            self._say(f"resuming stage {stage.name} after step {found.step}")
            self._event("resume", stage=stage.name, step=found.step)
            return True
        if self.metrics is not None:
            self.metrics.path.unlink(missing_ok=True)
        return False

    def _checkpoint(self, stage: Stage) -> None:
        with self._phase("writing a checkpoint") as clock:
            save_checkpoint(self._checkpoint_folder(stage), self.policy, self.optimizer, self.progress, self.world)
        self._event("checkpoint", stage=stage.name, step=self.progress.step, **clock.laps)
        keep = self._candidate(stage, self.progress.best_step or 0)
        if self.world.is_main and keep.parent.exists():
            for folder in keep.parent.iterdir():
                if folder != keep:
                    shutil.rmtree(folder, ignore_errors=True)

    def _forget_earlier_checkpoints(self, number: int) -> None:
        if self.world.is_main:
            for stage in self.recipe.stages[:number]:
                for folder in self._folder(stage).glob("*checkpoint*"):  # also what a kill left beside it
                    shutil.rmtree(folder, ignore_errors=True)

    def _export_final(self, summary: dict[str, Any]) -> None:
        self.policy.load_weights(self.directory / self.progress.finished[-1]["weights"])
        final = self.directory / "final"
        self.policy.export(final, dtype=self.recipe.save_dtype)
        if self.loggers is None:
            return
        self.loggers.close()
        write_card(final, self.recipe, summary, self.data.train, self.metrics.rows() if self.metrics else [])
        write_atomic(self.directory / "report.html", write_report(self.directory, summary, self.data.train))

    def _record(
        self,
        stage: Stage,
        groups: list[RolloutGroup],
        scores: StepScores,
        sums: dict[str, float],
        steps: int,
        seconds: float,
        phases: dict[str, Any],
    ) -> None:
        if self.metrics is None or self.loggers is None:
            return
        row = step_metrics(groups, scores, sums)
        step = self.progress.step
        self.metrics.append({"stage": stage.name, "step": step, **row})
        if self.recipe.record_rollouts:
            path = self.directory / "rollouts" / stage.name / f"{step:05d}.parquet"
            record_rollouts(path, groups, scores)
        self.loggers.log(row, sum(done["steps"] for done in self.progress.finished) + step)
        self._event("step", stage=stage.name, step=step, seconds=round(seconds, 3), **phases)
        say(readable_line(stage.name, step, steps, row, seconds, max(phases["peak_gib"].values())))

    def _peak(self) -> float:
        """GiB at the peak of the phase that ends here, of the process that held most (a collective call)."""
        return round(self.world.max(peak_memory(self.world.device)), 3)

    def _pushed(self, seconds: float, gap: float) -> None:
        name = self.recipe.stages[self.progress.stage].name
        self._event("push", stage=name, seconds=round(seconds, 3), gap=gap)

    def _encoder(self, sample: Sample) -> Callable[[], Encoded]:
        chat = build_chat(self.recipe.prompt, sample.problem, sample.images)
        return lambda: self.policy.encoder.encode(chat)

    def _ids(self, rows: list[int]) -> list[tuple[int, str]]:
        return [(row, self.data.train[row].id) for row in rows]

    def _too_long(self, chat: Chat) -> str | None:
        try:
            tokens = count_prompt_tokens(self.policy.encoder, chat)
        except RequestError as error:
            return str(error)
        limit = self.recipe.max_prompt_tokens
        return f"the prompt has {tokens} tokens, more than max_prompt_tokens {limit}" if tokens > limit else None

    def _drop(self, refused: Refused, rule: str) -> None:
        if self.run_dir is None:
            return
        known = {row["id"] for row in self.run_dir.ledger.rows()}
        if refused.id not in known:
            self.run_dir.ledger.drop(refused.id, "train", rule, refused.reason)

    def _folder(self, stage: Stage) -> Path:
        return self.directory / "stages" / stage.name

    def _checkpoint_folder(self, stage: Stage) -> Path:
        return self._folder(stage) / "checkpoint"

    def _candidate(self, stage: Stage, step: int) -> Path:
        return self._folder(stage) / "candidates" / f"step-{step:05d}"

    @contextmanager
    def _phase(self, name: str) -> Iterator[Clock]:
        clock = Clock()
        with stacks_when_late(name, rank=self.world.rank, seconds=self.recipe.stacks_after_s):
            yield clock
        clock.lap("seconds")

    def _say(self, text: str) -> None:
        if self.world.is_main:
            say(text)

    def _event(self, kind: str, **fields: Any) -> None:
        if self.run_dir is not None:
            self.run_dir.event(kind, **fields)
