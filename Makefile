# Two commands do everything: `make explain` and `make test`; `make serve` starts the app. Python 3.11 or later; `make PYTHON=python3.12 …` to choose.
PYTHON ?= python3
# The tests share this many processes: WORKERS=0 runs them in one.
WORKERS ?= 2
BIN := .venv/bin
# Whole files at a time, in the order in which tests/conftest.py puts them.
PYTEST := $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
INSTALL := PIP_CONSTRAINT=constraints.txt $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: explain serve test test-postgres coverage check benchmark clean

explain: .venv/installed  ## explain the example person, print the summary, write report.html
	$(BIN)/unaji explain examples/person --html report.html

serve: .venv/installed-web  ## the web app on this machine, with the example person to look at; stop with Ctrl+C
	$(BIN)/unaji serve

test: check  ## everything CI runs
	$(PYTEST)

coverage: .venv/installed-dev  ## the tests once more, and which lines and branches they do not reach: takes half as long again
	$(PYTEST) --cov --cov-report=term:skip-covered

test-postgres: .venv/installed-dev  ## all tests of the web app on a PostgreSQL of their own
	$(BIN)/python -m tests.web.run_on_postgres tests/web --numprocesses 0

check: .venv/installed-dev  ## style, types and the import contract
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

benchmark: .venv/installed-dev  ## how long things take; beside peers: see the head of each file in benchmarks/
	$(BIN)/python benchmarks/whole_person.py
	$(BIN)/python -m benchmarks.report_opening
	$(BIN)/python benchmarks/signals.py
	$(BIN)/python benchmarks/signals_ecg.py
	$(BIN)/python benchmarks/signals_eda.py
	$(BIN)/python benchmarks/signals_state.py
	$(BIN)/python benchmarks/body.py
	$(BIN)/python -m benchmarks.what_if
	$(BIN)/python benchmarks/importers_apple_health.py --no-peers
	$(BIN)/python benchmarks/importers_fitbit.py
	$(BIN)/python -m benchmarks.importers_garmin
	$(BIN)/python benchmarks/importers_weather.py
	$(BIN)/python benchmarks/importers_e4.py
	$(BIN)/python -m benchmarks.store phone
	$(BIN)/python -m benchmarks.public_article
	$(BIN)/python -m benchmarks.web_load --minutes 1

.venv/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "unaji needs Python 3.11 or later; choose one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/installed: .venv/python pyproject.toml constraints.txt
	$(INSTALL) --editable .
	@touch $@

.venv/installed-web: .venv/installed
	$(INSTALL) --editable '.[web]'
	@touch $@

.venv/installed-dev: .venv/installed
	$(INSTALL) --editable '.[dev]'
	@touch $@

clean:  ## remove what was built; no records are touched
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage report.html
	find src \( -name '*.nb[ci]' -o -name compiled_from \) -delete
