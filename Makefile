# `make help` lists the targets. PYTHON chooses the interpreter of the environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Interpreters for `make test-pythons`; one that is not installed is skipped.
PYTHONS ?= python3.12 python3.13 python3.14
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run serve setup setup-dev test test-unit test-integration test-long test-pythons check bench lock migrate clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

run: setup ## set up, fill a small database with generated prices, serve it on http://127.0.0.1:8000
	$(BIN)/tcgtracker demo

serve: setup ## serve the database that DB_URL names
	$(BIN)/tcgtracker serve

setup: $(VENV)/.run ## environment for running
setup-dev: $(VENV)/.dev ## environment for developing and testing

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run: requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

test: setup-dev ## every test a clean machine can run (set-up included)
	$(PYTEST) -m "not long"

test-unit: setup-dev ## the fast tests
	$(PYTEST) tests/unit

test-integration: setup-dev ## tests against real databases and processes
	$(PYTEST) tests/contract tests/integration -m "not long"

test-long: setup-dev ## the whole real data set, kill loops, big inputs
	$(PYTEST) -m long -n 0

test-pythons: ## the fast tests on each of PYTHONS that is installed, in environments of their own
	@for python in $(PYTHONS); do \
	  if $$python -c '' 2>/dev/null; then \
	    echo "== $$python"; $(MAKE) test-unit PYTHON=$$python VENV=.venv-$$python || exit 1; \
	  else \
	    echo "== $$python is not installed: skipped"; \
	  fi; \
	done

check: setup-dev ## format, lint, types, layers, docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.docs_check

bench: setup-dev ## speed and size, each beside its limit measured in the same run (JSON lines)
	$(BIN)/python -m tests.bench

migrate: setup-dev ## a new migration from the table definitions: make migrate m="add x"
	$(BIN)/tcgtracker db revision "$(m)"

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --upgrade --universal --generate-hashes --python-version 3.11 --no-header --quiet pyproject.toml --extra server -o requirements.txt
	uv pip compile --upgrade --universal --generate-hashes --python-version 3.11 --no-header --quiet pyproject.toml --extra server --group dev -o requirements-dev.txt

clean: ## remove the environment and caches
	rm -rf $(VENV) .venv-python* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
