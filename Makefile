# One file for every task. It needs Python 3.11 or newer with venv, and a C++ compiler (hnswlib comes as source).
# Everything is installed into .venv, once: the stamps say what is there, so a later run starts at once.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_DEV := $(VENV)/.installed-dev

.DEFAULT_GOAL := check
.PHONY: check demo test lint types docs bench soak build clean help

check: lint test  ## lint and test, the default

demo: $(INSTALLED)  ## learn from the example files and ask; then watch an agent learn in a small world, go wrong, and be mended
	@echo "Part one: what the commands do, with a dozen runs that were written by hand."
	@PATH="$(CURDIR)/$(BIN):$$PATH" bash examples/demo.sh
	@printf '\nPart two: what it is good for. An agent learns from runs of its own.\n\n$$ memp demo\n'
	@$(BIN)/memp demo

test: $(INSTALLED_DEV)  ## all tests, the examples in the documentation among them
	$(BIN)/python -m pytest -n 2 --dist loadfile $(ARGS)

lint: $(INSTALLED_DEV)  ## ruff, and its formatter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .

types: $(INSTALLED_DEV)  ## mypy, strict
	$(BIN)/mypy

docs: $(INSTALLED)  ## write the reference pages that the code explains: commands, events, errors
	$(BIN)/python docs/generate.py

bench: $(INSTALLED_DEV)  ## speed and size, as ratios beside the bare parts
	$(BIN)/python -m bench $(ARGS)

soak: $(INSTALLED_DEV)  ## the properties, fifty times longer, and the faults, with counts
	MEMP_SOAK=1 $(BIN)/python -m pytest --hypothesis-profile=soak tests/properties tests/contracts tests/faults $(ARGS)

build: $(INSTALLED_DEV)  ## sdist, and the wheel made from it, in dist/
	rm -rf dist build
	$(BIN)/python -m build --outdir dist .

clean:  ## remove everything that was made here
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks
	rm -rf memp-demo*.duckdb memp-demo*.duckdb.* memp-demo*.html
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "memp needs Python 3.11 or newer; this is $$($(PYTHON) --version). Name another: make PYTHON=python3.12" >&2; exit 1; }
	@command -v c++ >/dev/null || command -v g++ >/dev/null \
		|| { echo "memp needs a C++ compiler to build hnswlib (Debian: apt-get install g++ python3-dev)." >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python has no venv (Debian: apt-get install python3-venv)." >&2; exit 1; }

$(INSTALLED): pyproject.toml setup.py | $(VENV)/bin/python
	@echo "Installing memp into $(VENV); the first time builds hnswlib, which takes about a minute."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[evaluation]"
	@touch $@

$(INSTALLED_DEV): pyproject.toml setup.py | $(VENV)/bin/python
	@echo "Installing memp and the tools into $(VENV); the first time builds hnswlib, which takes about a minute."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable ".[dev]"
	@touch $(INSTALLED) $@
