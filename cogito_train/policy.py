"""The model in training: loaded strictly, scored, copied, saved as a Hugging Face folder."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from cogito_core.console import CogitoError
from cogito_core.engines.encode import ChatEncoder, PixelLimits, banned_token_ids
from cogito_core.engines.models import resolve_model
from cogito_core.engines.transformers_engine import load_model
from cogito_core.files import sync_directory, write_atomic
from cogito_train.attention import packed_layers
from cogito_train.config import TrainRecipe
from cogito_train.parallel import World, full_tensor, shard
from cogito_train.scoring import AnswerScorer


class Policy:
    """The trained model with its tokenizer, encoder and scorer.

    Attributes:
        scorer: root module of the trainer; sharded if there are several processes.
        encoder: turns chats into token ids and pixels, the one the engine uses too.
        folder: where the weights came from; its tokenizer and processor files are copied into every export.
    """

    def __init__(self, recipe: TrainRecipe, world: World) -> None:
        self.recipe = recipe
        self.world = world
        self.folder = resolve_model(recipe.model, recipe.revision)
        model, self.tokenizer, self.image_processor = load_model(self.folder, dtype="float32")
        limits = PixelLimits.of_folder(self.folder).override(recipe.min_pixels, recipe.max_pixels)
        self.encoder = ChatEncoder(self.tokenizer, self.image_processor, limits)
        self.config = model.config
        self.generation_config = model.generation_config
        if not recipe.train_vision:
            model.model.visual.requires_grad_(False)
        if recipe.gradient_checkpointing:
            # Layers run again in the backward pass, outside of the forward's own `packed_layers`.
            model.gradient_checkpointing_enable(
                {"use_reentrant": False, "context_fn": lambda: (nullcontext(), packed_layers(model))}
            )
        self.scorer = self._place(model)

    def frozen_copy(self, folder: Path) -> AnswerScorer:
        """A scorer over the weights in `folder` without gradients: the KL reference."""
        model, _, _ = load_model(folder, dtype="float32")
        model.requires_grad_(False)
        return self._place(model)

    @property
    def trainable(self) -> list[tuple[str, torch.nn.Parameter]]:
        """Names and parameters that the optimiser moves; a tied weight appears once."""
        return [(name, p) for name, p in self.scorer.named_parameters() if p.requires_grad]

    def load_weights(self, folder: Path) -> None:
        """Copy the weights of a Hugging Face folder into the live model.

        Raises CogitoError if a tensor is missing, left over or of another shape.
        """
        source, _, _ = load_model(folder, dtype="float32")
        stored = dict(source.named_parameters())
        live = {name.removeprefix("model."): p for name, p in self.scorer.named_parameters()}
        if stored.keys() != live.keys():
            odd = sorted(stored.keys() ^ live.keys())
            raise CogitoError(f"the weights in {folder} do not fit this model: {len(odd)} tensors, {odd[0]} first")
        with torch.no_grad():
            for name, parameter in live.items():
                if stored[name].shape != parameter.shape:
                    raise CogitoError(f"{folder}: tensor {name} has shape {tuple(stored[name].shape)}")
                parameter.copy_(_like(stored[name], parameter))

    def stream_weights(self, dtype: str) -> Iterator[tuple[str, Tensor]]:
        """Every weight whole, one after the other, under transformers' names (collective calls).

        A tied head comes under its own name too: engines that copy by name keep a stale one otherwise.
        """
        for name, parameter in self.scorer.named_parameters():
            whole = full_tensor(parameter.detach()).to(getattr(torch, dtype))
            name = name.removeprefix("model.")
            yield name, whole
            if self.config.tie_word_embeddings and name == "model.language_model.embed_tokens.weight":
                yield "lm_head.weight", whole

    def export(self, folder: Path, *, dtype: str) -> None:
        """Write a Hugging Face folder: written aside, then renamed, so it is whole or not there at all."""
        weights: dict[str, Tensor] = {}
        for name, tensor in self.stream_weights(dtype):
            if self.world.is_main:
                weights[name] = tensor.cpu()
        if self.world.is_main:
            aside = folder.with_name(f".{folder.name}.aside")
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            self._skeleton(dtype).save_pretrained(aside, state_dict=weights)
            self._copy_companions(aside)
            replace_folder(aside, folder)
        self.world.barrier()

    def _place(self, model: Any) -> AnswerScorer:
        scorer = AnswerScorer(
            model.to(self.world.device),
            temperature=self.recipe.temperature,
            banned=banned_token_ids(self.tokenizer),
            pad_id=self.tokenizer.pad_token_id or 0,
            attention=self.recipe.attention,
        )
        compute = getattr(torch, self.recipe.dtype)
        if self.world.size > 1:
            shard(scorer, self.world, param_dtype=compute)
        else:
            scorer.compute_dtype = compute
        return scorer

    def _skeleton(self, dtype: str) -> Any:
        from transformers import Qwen2_5_VLForConditionalGeneration

        config = type(self.config).from_dict(self.config.to_dict())
        config.dtype = dtype
        with torch.device("meta"):
            model = Qwen2_5_VLForConditionalGeneration(config)
        model.generation_config = self.generation_config
        return model

    def _copy_companions(self, folder: Path) -> None:
        for path in self.folder.iterdir():
            is_weight = path.suffix in (".safetensors", ".bin", ".pt") or path.name.endswith(".index.json")
            if path.is_file() and not is_weight and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)


def replace_folder(aside: Path, folder: Path) -> None:
    """Put a finished folder in the place of `folder`; every file reaches the disk first."""
    for path in aside.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.fsync(handle)
            os.close(handle)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    aside.rename(folder)
    sync_directory(folder.parent)
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a JSON file in one step, keys in their order."""
    write_atomic(path, json.dumps(values, indent=2, ensure_ascii=False) + "\n")


def _like(source: Tensor, target: Tensor) -> Tensor:
    if hasattr(target, "device_mesh"):
        from torch.distributed.tensor import distribute_tensor

        sharded: Any = target
        return distribute_tensor(source.to(target.device), sharded.device_mesh, sharded.placements)
    return source.to(target.device)
