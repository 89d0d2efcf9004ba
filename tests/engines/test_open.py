"""Engines and models by name: what is missing is said in one sentence, and nothing heavy is imported too early."""

from __future__ import annotations

import subprocess
import sys

import pytest

from cogito_core.console import CogitoError, MissingExtra, UsageError
from cogito_core.engines import open_engine
from cogito_core.engines.base import Engine
from cogito_core.engines.models import model_revision, resolve_model


def test_unknown_engines_and_options_are_named(tiny_folder):
    with pytest.raises(UsageError, match="no engine 'tensorrt'; it is one of: transformers, vllm, openai:URL"):
        open_engine("tensorrt", "nano")
    with pytest.raises(UsageError, match="no engine 'openai:'"):
        open_engine("openai:", "nano")
    with pytest.raises(UsageError, match="'transformers' has no option 'colour'; it has: revision, dtype"):
        open_engine("transformers", str(tiny_folder), colour=3)
    with pytest.raises(UsageError, match="has no option 'urls'"):
        open_engine("openai:http://127.0.0.1:9", "nano", urls=("x",))


@pytest.mark.parametrize(
    ("package", "spec", "options", "extra"),
    [
        ("torch", "transformers", {}, "local"),
        ("vllm", "vllm", {}, "vllm"),
        ("ray", "transformers", {"cluster": "auto"}, "ray"),
    ],
)
def test_a_missing_extra_says_how_to_install_it(monkeypatch, package, spec, options, extra):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'cogito-vlm\[{extra}\]'"):
        open_engine(spec, "nano", **options)


def test_opens_the_embedded_engine(tiny_folder):
    engine = open_engine("transformers", str(tiny_folder), max_pixels=6272, dtype=None)
    assert isinstance(engine, Engine)
    assert engine.encoder.limits.max_pixels == 6272 and "3136-6272px" in engine.name
    engine.close()


def test_models_by_name(tiny_folder, tmp_path):
    assert resolve_model(str(tiny_folder)) == tiny_folder.resolve()
    with pytest.raises(CogitoError, match="no config.json"):
        resolve_model(str(tmp_path))
    with pytest.raises(CogitoError, match="neither 'nano', nor an existing folder, nor a Hub id"):
        resolve_model("./missing/folder/here")


def test_offline_hub_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CogitoError, match="not on this machine and the Hugging Face Hub cannot be reached") as caught:
        resolve_model("Qwen/Qwen2.5-VL-3B-Instruct-not-here")
    assert "\n" not in str(caught.value)


def test_other_weights_are_another_revision(tiny_folder, tmp_path):
    import shutil

    copy = shutil.copytree(tiny_folder, tmp_path / "copy")
    assert model_revision(copy) == model_revision(tiny_folder)
    weights = bytearray((copy / "model.safetensors").read_bytes())
    weights[-1] ^= 1
    (copy / "model.safetensors").write_bytes(weights)
    assert model_revision(copy) != model_revision(tiny_folder)
    commit = tmp_path / "models--a--b" / "snapshots" / ("ab" * 20)
    commit.mkdir(parents=True)
    assert model_revision(commit) == "abababababab"


def test_opening_the_package_imports_nothing_heavy():
    code = (
        "import sys; import cogito_core.engines, cogito_core.engines.models, cogito_core.engines.encode,"
        "cogito_core.engines.cache, cogito_core.engines.base;"
        "print([m for m in ('torch', 'transformers', 'vllm', 'ray', 'PIL', 'httpx', 'datasets') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
