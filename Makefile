# One command each: `make demo` shows the product, `make test` proves it. Both set up what they need in .venv.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3.14 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.PHONY: help setup demo test lint types fast coverage test-slow bench mutants docs lock clean

help:
	@echo 'make demo       set up, index the recorded chain, serve API and docs on loopback'
	@echo 'make test       set up, lint, type check, run the tests and their coverage (what CI runs)'
	@echo 'make test-slow  crash, reorganisation and determinism runs that take long'
	@echo 'make bench      benchmarks; results are written up in docs/measurements.md'
	@echo 'make mutants    change the rules one by one and list the changes that no test notices'
	@echo 'make docs       regenerate the generated pages'
	@echo 'make lock       resolve the dependencies anew'

setup: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo 'Simplicity needs Python 3.11 or newer on the PATH'; exit 3; }
	$(PYTHON) -m venv --clear .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup
	$(BIN)/simplicity demo

test: setup lint types fast coverage

lint:
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types:
	$(BIN)/mypy

fast:
	$(PYTEST) -n 2 --dist worksteal --cov=engine --cov=warehouse --cov-report=

coverage:
	NUMBA_DISABLE_JIT=1 $(PYTEST) -n 2 --dist worksteal tests/engine tests/properties \
		--cov=engine --cov=warehouse --cov-append --cov-report=term-missing:skip-covered --cov-fail-under=95

test-slow: setup
	$(PYTEST) -m slow

bench: setup
	$(PYTEST) -m bench --benchmark-enable tests/bench

mutants: setup
	$(BIN)/python -m tests.mutants

docs: setup
	$(BIN)/python -m warehouse.tables > docs/tables.md

LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-emit-find-links --no-header

lock: setup
	$(LOCK) --upgrade --all-extras pyproject.toml --output-file requirements.lock
	$(LOCK) --extra build --constraints requirements.lock pyproject.toml --output-file docker/requirements.lock

clean:
	rm -rf .venv demo-data
