# Two commands matter: `make demo` and `make test`. Everything runs from .venv, made here.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
WORKERS ?= $(shell expr $$(nproc) + 1)

.PHONY: demo run test coverage lint format bench score lock wheel clean

demo: .venv/.run ## a sample region with live meters, on embedded parts
	$(BIN)/odecet demo

run: .venv/.run ## the product, with the settings of odecet.toml where there is one
	$(BIN)/odecet run

# Tests of servers mostly wait: one process more than there are processors. Coverage has a target of its own, since
# tracing costs a quarter of the time and judges nothing.
test: .venv/.dev ## every test; one that needs a server skips, naming it, where it is missing
	$(BIN)/python -m pytest tests --numprocesses=$(WORKERS) --dist=worksteal --durations=25

coverage: .venv/.dev ## which lines and branches no test runs
	$(BIN)/python -m pytest tests --numprocesses=auto --dist=worksteal --cov --cov-report=term

lint: .venv/.dev ## the judge
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.dev ## figures on this machine
	$(BIN)/python -m benchmarks

score: .venv/.dev ## what the detectors find of what was planted, and how often they speak of nothing
	$(BIN)/python -m benchmarks.score

wheel: .venv/.dev ## build once, install into a clean environment, run from another folder
	rm -rf dist .venv-wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir dist .
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r requirements.lock
	.venv-wheel/bin/python -m pip --quiet --disable-pip-version-check install --no-deps dist/*.whl
	cd / && $(CURDIR)/.venv-wheel/bin/odecet --version && $(CURDIR)/.venv-wheel/bin/odecet check-config

lock: .venv/.dev ## pin again what pyproject.toml names
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
		--extra build pyproject.toml --output-file requirements.lock
	$(BIN)/uv pip compile --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --quiet \
		--extra build --extra dev --constraint requirements.lock pyproject.toml --output-file requirements-dev.lock

clean:
	rm -rf .venv .venv-wheel dist build .coverage* .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/.run: requirements.lock pyproject.toml
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "Odecet needs Python 3.11 or newer"'
	$(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@

.venv/.dev: .venv/.run requirements-dev.lock
	$(PIP) install --require-hashes -r requirements-dev.lock
	touch $@
