# Two commands: `make materialize` and `make test`. Both set up what they need the first time.
.PHONY: materialize dev test test-e2e lint bench clean

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
# more than processors, as tests wait for a quarter of their time
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 2) * 3 // 2)')
UI_TESTS := analytics_assets_tests/e2e/ui
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# dagster.yaml is here, and so are the run history (.dagster/) and dlt's working files
export DAGSTER_HOME := $(CURDIR)
export RUNTIME__DLTHUB_TELEMETRY ?= false

materialize: .venv/installed
	$(BIN)/analytics-assets materialize

dev: .venv/installed
	$(BIN)/dagster dev --host 127.0.0.1 --port $(or $(PORT),3000)

# everything but the tests marked `e2e`: a worker that has nothing left takes tests of another one
test: .venv/installed-for-tests lint
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal

# processes, kills and the warehouse's PostgreSQL twins; then the UI, whose tests share one `dagster dev`
# and one browser, in one process
test-e2e: .venv/installed-for-tests
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal -m 'e2e or slow' --ignore $(UI_TESTS)
	$(BIN)/pytest -m '' $(UI_TESTS)

lint: .venv/installed-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# how fast it loads, beside stock dlt; `make bench ARGUMENTS=--help` says what else it can do
bench: .venv/installed-for-bench
	$(BIN)/python -m analytics_assets_tests.benchmarks $(ARGUMENTS)

.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "Python 3.11 is needed; run make with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv, which takes about a minute ..."
	@$(PYTHON) -m venv .venv
	@$(INSTALL) --editable .
	@touch $@

.venv/installed-for-tests: .venv/installed
	@echo "Setting up what tests need ..."
	@$(INSTALL) --editable '.[dev]'
	$(BIN)/python -m analytics_assets_tests.support.browser
	@touch $@

.venv/installed-for-bench: .venv/installed
	@echo "Setting up what the benchmark needs ..."
	@$(INSTALL) --editable '.[bench]'
	@touch $@

clean:
	rm -rf .venv .benchmarks .dagster .logs_queue logs .dlt/pipelines *.egg-info
