"""The embedded default world of Cogito: procedural picture questions and a tiny model that can answer them.

Everything here runs on one CPU core without a download. ``cogito_nano.tasks`` draws the questions;
``cogito_nano.model`` and ``cogito_nano.tokenizer`` define the model; ``cogito_nano.warmup`` rebuilds the weights
that ship in ``cogito_nano/weights``.
"""

from pathlib import Path

WEIGHTS_DIR = Path(__file__).resolve().parent / "weights"
"""The Hugging Face folder of the shipped base model (config, tokenizer, image processor, bf16 weights)."""
