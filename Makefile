# One command for each thing; CI runs the same ones.
PYTHON ?= python3
BIN := .venv/bin
# Tests of one file share what they set up, and one process runs them.
PYTEST := $(BIN)/pytest --numprocesses $(shell getconf _NPROCESSORS_ONLN) --dist loadfile

.PHONY: sample test check coverage lint types format docs

sample: .venv/runtime            ## set up, and stylize the sample clip
	$(BIN)/vidgan stylize samples/bunny.mp4 --style starry --force

test: .venv/dev                  ## set up, and run the tests
	$(PYTEST)

check: lint types docs test      ## everything that CI checks

coverage: .venv/dev              ## the tests, and the lines that they do not reach; a third slower
	$(PYTEST) --cov --cov-report=term:skip-covered

lint: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: .venv/dev
	$(BIN)/mypy

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: .venv/dev                  ## the API reference, from the docstrings, in build/reference
	$(BIN)/python -W error -W "ignore:Error parsing type annotation" -m docs.reference

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/runtime: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet -e .
	touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet -e '.[dev,train]'
	touch $@ .venv/runtime
