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
from cogito_train.lora import adapted_layers, adapters_off, add_adapters, merged, own_name, reset_adapters
from cogito_train.parallel import World, full_tensor, like, shard
from cogito_train.scoring import AnswerScorer, Scorer
from cogito_train.shared_forward import PackedBatch
from cogito_train.tensor_files import plain_errors

_COMPANIONS = frozenset(
    "added_tokens.json chat_template.jinja chat_template.json generation_config.json merges.txt "
    "preprocessor_config.json processor_config.json special_tokens_map.json tokenizer.json tokenizer.model "
    "tokenizer_config.json video_preprocessor_config.json vocab.json".split()
)
"""Files of a model folder that belong to it whatever its weights are."""


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
        if recipe.lora.rank:
            add_adapters(model, recipe.lora, vision=recipe.train_vision)
            reset_adapters(model, recipe.seed)
        if recipe.gradient_checkpointing:
            # Layers run again in the backward pass, outside of the forward's own `packed_layers`.
            model.gradient_checkpointing_enable(
                {"use_reentrant": False, "context_fn": lambda: (nullcontext(), packed_layers(model))}
            )
        self.scorer = self._place(model)

    def reference(self, folder: Path) -> Scorer:
        """What scores answers under the weights in `folder`, the KL reference.

        With LoRA these are the policy's own frozen weights; else a copy without gradients.
        """
        if self.recipe.lora.rank:
            return self._without_adapters
        model, _, _ = load_model(folder, dtype="float32")
        model.requires_grad_(False)
        return self._place(model)

    @property
    def is_sharded(self) -> bool:
        """Whether FSDP2 manages the parameters."""
        return self.world.size > 1 or self.recipe.cpu_offload

    @property
    def trainable(self) -> list[tuple[str, torch.nn.Parameter]]:
        """Names and parameters that the optimiser moves; a tied weight appears once."""
        return [(name, p) for name, p in self.scorer.named_parameters() if p.requires_grad]

    def load_weights(self, folder: Path) -> None:
        """Copy the weights of a Hugging Face folder into the live model; adapters start anew.

        Raises CogitoError if a tensor is missing, left over or of another shape.
        """
        source, _, _ = load_model(folder, dtype="float32")
        stored = dict(source.named_parameters())
        live = dict(self._own_weights())
        if stored.keys() != live.keys():
            odd = sorted(stored.keys() ^ live.keys())
            raise CogitoError(f"the weights in {folder} do not fit this model: {len(odd)} tensors, {odd[0]} first")
        with torch.no_grad():
            for name, parameter in live.items():
                if stored[name].shape != parameter.shape:
                    raise CogitoError(f"{folder}: tensor {name} has shape {tuple(stored[name].shape)}")
                parameter.copy_(like(stored[name], parameter))
        if self.recipe.lora.rank:
            reset_adapters(self.scorer.model, self.recipe.seed)

    def stream_weights(self, dtype: str) -> Iterator[tuple[str, Tensor]]:
        """Every weight whole, one after the other, under transformers' names (collective calls).

        A tied head comes under its own name too: engines that copy by name keep a stale one otherwise.
        """
        adapted = {f"{name}.weight": layer for name, layer in adapted_layers(self.scorer.model)}
        for name, parameter in self._own_weights():
            # An offloaded shard is gathered where the processes can talk about it.
            whole = full_tensor(parameter.detach().to(self.world.device))
            if name in adapted:
                whole = merged(adapted[name], whole.float())
            whole = whole.to(getattr(torch, dtype))
            yield name, whole
            if self.config.tie_word_embeddings and name == "model.language_model.embed_tokens.weight":
                yield "lm_head.weight", whole

    def export(self, folder: Path, *, dtype: str) -> None:
        """Write a Hugging Face folder: written aside, then renamed, so it is whole or not there at all.

        Raises OSError if the disk is full.
        """
        weights: dict[str, Tensor] = {}
        for name, tensor in self.stream_weights(dtype):
            if self.world.is_main:
                weights[name] = tensor.cpu()
        if self.world.is_main:
            aside = folder.with_name(f".{folder.name}.aside")
            shutil.rmtree(aside, ignore_errors=True)
            aside.mkdir(parents=True)
            with plain_errors():
                self._skeleton(dtype).save_pretrained(aside, state_dict=weights)
            self._copy_companions(aside)
            replace_folder(aside, folder)
        self.world.barrier()

    def _own_weights(self) -> Iterator[tuple[str, torch.nn.Parameter]]:
        """The model's own parameters under transformers' names, no adapters."""
        for name, parameter in self.scorer.named_parameters():
            own = own_name(name.removeprefix("model."))
            if own is not None:
                yield own, parameter

    def _without_adapters(self, batch: PackedBatch) -> tuple[Tensor, Tensor]:
        with adapters_off(self.scorer.model):
            scored: tuple[Tensor, Tensor] = self.scorer(batch)
        return scored

    def _place(self, model: Any) -> AnswerScorer:
        scorer = AnswerScorer(
            model if self.is_sharded else model.to(self.world.device),
            temperature=self.recipe.temperature,
            banned=banned_token_ids(self.tokenizer),
            pad_id=self.tokenizer.pad_token_id or 0,
            attention=self.recipe.attention,
        )
        compute = getattr(torch, self.recipe.dtype)
        if self.is_sharded:
            shard(scorer, self.world, param_dtype=compute, cpu_offload=self.recipe.cpu_offload)
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
        """Tokenizer, templates and picture settings come along; what describes the base's own training does not."""
        for path in self.folder.iterdir():
            if path.name in _COMPANIONS and not (folder / path.name).exists():
                shutil.copyfile(path, folder / path.name)


def replace_folder(aside: Path, folder: Path) -> None:
    """Put a finished folder in the place of `folder`; every file reaches the disk first."""
    for path in aside.rglob("*"):
        if path.is_file():
            # safetensors writes its files for the owner alone.
            path.chmod(0o644)
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
