"""What the code never does, read from its syntax trees: no pickle, no remote code, no shell, no unpacking."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

CODE = ("cogito_core", "cogito_nano", "cogito_data", "cogito_train", "cogito_eval", "bench", "scripts")
PICKLES = {"pickle", "_pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib", "jsonpickle"}
UNPACKERS = {"extractall", "extract", "unpack_archive"}
MODEL_CLASSES = ("ForConditionalGeneration", "ForCausalLM", "AutoModel")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def _keywords(call: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords}


def _is(value: ast.expr | None, wanted: bool) -> bool:
    return isinstance(value, ast.Constant) and value.value is wanted


def _call_faults(call: ast.Call) -> Iterator[str]:
    name, given = _dotted(call.func), _keywords(call)
    last = name.rsplit(".", 1)[-1]
    if name in ("eval", "exec", "compile", "__import__", "os.system", "os.popen"):
        yield f"calls {name}"
    if "shell" in given and not _is(given["shell"], False):
        yield "starts a shell"
    if name == "torch.load" and not _is(given.get("weights_only"), True):
        yield "torch.load without weights_only=True"
    if name in ("np.load", "numpy.load"):
        yield "np.load: npz members are read by cogito_core.archives"
    if name in ("dcp.FileSystemReader", "dcp.FileSystemWriter") or "checkpoint_id" in given:
        yield "the form of PyTorch's distributed checkpoint that keeps a pickle"
    if last == "from_pretrained" and any(kind in name for kind in MODEL_CLASSES) and not _is(
        given.get("use_safetensors"), True
    ):
        yield "weights that need not be safetensors"
    if "trust_remote_code" in given and not _is(given["trust_remote_code"], False):
        yield "trust_remote_code"
    if name in ("yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "yaml.full_load_all"):
        yield name
    if name == "yaml.load":
        loader = given.get("Loader")
        if not (isinstance(loader, ast.Name) and loader.id == "_StrictLoader"):
            yield "yaml.load with a loader that is not safe"
    if last in UNPACKERS and not (isinstance(call.func, ast.Name) and last == "extract"):
        owner = name.rsplit(".", 1)[0]
        if last != "extract" or any(word in owner for word in ("zip", "tar", "archive")):
            yield f"unpacks an archive ({name})"


def faults(tree: ast.AST) -> list[str]:
    """Every forbidden thing in a syntax tree, each as `line: what`."""
    found = []
    for node in ast.walk(tree):
        said: list[str] = []
        if isinstance(node, ast.Import):
            said = [f"imports {a.name}" for a in node.names if a.name.split(".")[0] in PICKLES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in PICKLES:
            said = [f"imports {node.module}"]
        elif isinstance(node, ast.Call):
            said = list(_call_faults(node))
        elif isinstance(node, ast.ClassDef) and node.name == "_StrictLoader":
            bases = [_dotted(base) for base in node.bases]
            said = [] if bases == ["yaml.SafeLoader"] else ["_StrictLoader is no SafeLoader"]
        found += [f"{getattr(node, 'lineno', 0)}: {what}" for what in said]
    return found


def test_no_file_does_anything_forbidden(repository: Path) -> None:
    files = [path for folder in CODE for path in sorted((repository / folder).rglob("*.py"))]
    assert len(files) > 200
    found = {
        str(path.relative_to(repository)): said
        for path in files
        if (said := faults(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == {}


@pytest.mark.parametrize("code", [
    "import pickle",
    "from dill import loads",
    "torch.load(path)",
    "torch.load(path, weights_only=False)",
    "np.load(path, allow_pickle=True)",
    "dcp.save(state, checkpoint_id=folder)",
    "dcp.FileSystemReader(folder)",
    "AutoModelForCausalLM.from_pretrained(folder)",
    "AutoTokenizer.from_pretrained(folder, trust_remote_code=True)",
    "load_dataset(name, trust_remote_code=flag)",
    "yaml.load(text)",
    "yaml.load(text, Loader=yaml.Loader)",
    "yaml.unsafe_load(text)",
    "class _StrictLoader(yaml.Loader): pass",
    "subprocess.run(command, shell=True)",
    "os.system(command)",
    "eval(text)",
    "archive.extractall(folder)",
    "shutil.unpack_archive(path)",
    "zipped.extract(name)",
    "tar.extract(member)",
])
def test_the_reading_finds_each_of_them(code: str) -> None:
    assert len(faults(ast.parse(code))) == 1


@pytest.mark.parametrize("code", [
    "torch.load(path, weights_only=True)",
    "model.eval()",
    "extract(response, kind=kind)",
    "answers.extract(response)",
    "archive.extractfile(member)",
    "yaml.safe_load(text)",
    "subprocess.run([program], shell=False)",
])
def test_it_leaves_harmless_code_alone(code: str) -> None:
    assert faults(ast.parse(code)) == []
