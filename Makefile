# Each target does its own set-up: a machine with Python 3.11 or newer and make is enough.
#   make demo    train an agent on the water maze and leave everything there is to see in demo/
#   make test    the test suite          make lint   ruff and mypy --strict
#   make bench   the benchmarks, against other simulators: PEERS="PYTHON ..." V2E=FOLDER ESIM=FOLDER
#                (benchmarks/peers/README.md)
#   make clean   remove the environment and what the tools left

VENV := .venv
BIN := $(VENV)/bin
# Pins hold for the isolated build environment too, which `pip install -c` does not reach.
PIP := PIP_CONSTRAINT=$(CURDIR)/constraints.txt PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet
PACKAGES := agent analysis bridge envs launch memory spiking
WORKERS ?= 2

.PHONY: demo test lint bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/tolman train --config demo --output demo --overwrite --json demo/results.json

test: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(WORKERS) tests

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	@mkdir -p $(VENV)/checked && ln -sfn "$(CURDIR)" $(VENV)/checked/tolman
	MYPYPATH=$(VENV)/checked $(BIN)/mypy -m tolman $(PACKAGES:%=-p tolman.%)

bench: $(VENV)/.installed
	$(BIN)/tolman bench --json bench.json
	$(BIN)/python benchmarks/networks.py --peers $(PEERS) --json bench-networks.json
	$(BIN)/python benchmarks/events.py --peers $(PEERS) $(V2E:%=--v2e %) $(ESIM:%=--esim %) --json bench-events.json
	$(BIN)/python benchmarks/rendering.py --json bench-rendering.json

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) -c constraints.txt -e '.[dev]'
	@touch $@

# PyBullet has wheels up to Python 3.11, so that version is tried first.
$(BIN)/python:
	@for candidate in $(PYTHON) python3.11 python3 python3.12 python3.13; do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
	    echo "setting up $(VENV) with $$("$$candidate" --version); this is done once"; \
	    exec "$$candidate" -m venv $(VENV); \
	  fi; \
	done; \
	echo "no Python 3.11 or newer found; install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1
