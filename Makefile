# Two commands: `make materialize` and `make test`. Both set up what they need the first time.
.PHONY: materialize dev serve test test-e2e lint compat bench clean

# the environment's own Python, or else the first on PATH that is not too old
ifndef PYTHON
PYTHON := $(shell for python in .venv/bin/python python3.11 python3 python3.12 python3.13 python3.14; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
endif
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
INSTALLED := .venv/installed-$(VERSION)
BIN := .venv/bin
# more than processors, as tests wait for a quarter of their time
WORKERS ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 2) * 3 // 2)')
# where files need no disk, if there is one with 4 GiB free that programs may run in; else empty
MEMORY = $(shell $(PYTHON) -c 'import os; place = os.statvfs("/dev/shm"); \
	print("/dev/shm" * (place.f_bavail * place.f_frsize >= 4 << 30 and not place.f_flag & os.ST_NOEXEC))' 2>/dev/null)
E2E_TESTS := analytics_assets_tests/e2e
UI_TESTS := $(E2E_TESTS)/ui
PIP := -m pip install --quiet --disable-pip-version-check
INSTALL := $(BIN)/python $(PIP) --constraint constraints.txt
# dagster.yaml is here, and so are the run history (.dagster/) and dlt's working files
export DAGSTER_HOME := $(CURDIR)
export RUNTIME__DLTHUB_TELEMETRY ?= false
# with it, each process compiles this package anew, and pytest each file of tests in each worker
unexport PYTHONDONTWRITEBYTECODE

materialize: $(INSTALLED)
	$(BIN)/analytics-assets materialize

# Dagster's processes read a description of the whole project each minute: glibc keeps the place of
# such texts, once they are deleted, unless a bound is set from which a text has its own; see docs/scale.md
dev serve: export MALLOC_MMAP_THRESHOLD_ = 1048576

# Dagster 1.13 recommends `dg dev` in place of `dagster dev`, which is in a package for developers; and
# at its usual level it logs each look of each sensor
dev: export PYTHONWARNINGS = ignore:Function `dev_command` is superseded
dev: $(INSTALLED)
	@$(PYTHON) -c 'import socket; socket.create_server(("127.0.0.1", $(or $(PORT),3000)))' 2>/dev/null || \
		{ echo "Port $(or $(PORT),3000) is in use; choose another one: PORT=3001 make dev"; exit 1; }
	@echo "The Dagster UI is on http://127.0.0.1:$(or $(PORT),3000) in some seconds; Ctrl-C ends it."
	@$(BIN)/dagster dev --host 127.0.0.1 --port $(or $(PORT),3000) --log-level warning

# as in production: see docs/production.md
serve: $(INSTALLED)-for-serve
	@exec $(BIN)/python -m deploy.serve --port $(or $(PORT),3000) --code-port $(or $(CODE_PORT),4000)

# everything but the tests marked `e2e`, whose folder is not even imported; a worker that has nothing
# left takes tests of another one, and folders of tests that pass are removed
test: export PYTEST_DEBUG_TEMPROOT = $(MEMORY)
test: $(INSTALLED)-for-tests lint
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal --ignore $(E2E_TESTS) --durations 20 \
		--override-ini tmp_path_retention_policy=failed

# processes, kills and the warehouse's PostgreSQL twins; then the UI, whose tests share one
# `dagster dev` and one browser, in one process
test-e2e: $(INSTALLED)-for-tests .venv-export/installed
	$(BIN)/pytest --numprocesses $(WORKERS) --dist worksteal -m e2e --ignore $(UI_TESTS) --durations 20
	$(BIN)/pytest -m '' $(UI_TESTS)

lint: $(INSTALLED)-for-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# the newest Dagster and dlt that are known to work, in an environment of their own
# dagster-dlt lags two releases behind Dagster, which warns of that; the UI is not in the environment
compat: export PYTHONWARNINGS = ignore:Found version mismatch
compat: .venv-compat/installed
	.venv-compat/bin/pytest --numprocesses $(WORKERS) --dist worksteal analytics_assets_tests/orchestration \
		--ignore analytics_assets_tests/orchestration/automation/retention/test_readers.py \
		--ignore analytics_assets_tests/orchestration/partitions/test_taken_over_history.py
	cd .venv-compat/run && DAGSTER_HOME=$$PWD ../bin/analytics-assets materialize

# rows a second, beside stock dlt; `make bench ARGUMENTS=--help` lists the options
bench: $(INSTALLED)-for-bench
	$(BIN)/python -m analytics_assets_tests.project.benchmarks $(ARGUMENTS)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; run make with PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up .venv with $$($(PYTHON) -V), which takes about a minute ..."
	@[ "$$($(BIN)/python -V 2>/dev/null)" = "$$($(PYTHON) -V)" ] || $(PYTHON) -m venv --clear .venv
	@$(INSTALL) --editable .
	@touch $@

$(INSTALLED)-for-tests: $(INSTALLED)
	@echo "Setting up what tests need ..."
	@$(INSTALL) --editable '.[dev]'
	$(BIN)/python -m analytics_assets_tests.e2e.ui.browser
	@touch $@

$(INSTALLED)-for-serve: $(INSTALLED)
	@echo "Setting up what serving needs ..."
	@$(INSTALL) --editable '.[serve]'
	@touch $@

$(INSTALLED)-for-bench: $(INSTALLED)
	@echo "Setting up what the benchmark needs ..."
	@$(INSTALL) --editable '.[bench]'
	@touch $@

# dagster-embedded-elt, which pins an older Dagster, goes without its dependencies
.venv-compat/installed: pyproject.toml constraints-newest.txt $(INSTALLED)
	@echo "Setting up .venv-compat with the newest Dagster and dlt ..."
	@$(PYTHON) -m venv --clear .venv-compat
	@.venv-compat/bin/python $(PIP) --no-deps --requirement constraints-newest.txt --editable .
	@mkdir .venv-compat/run && cp -R dagster.yaml .dlt .venv-compat/run
	@touch $@

# dbt and datacontract-cli, which conflict with Dagster's pins; and Dagster's OpenLineage plugin, which
# every process that has it would import
.venv-export/installed: constraints.txt constraints-export.txt
	@echo "Setting up .venv-export with dbt, datacontract-cli and OpenLineage ..."
	@$(PYTHON) -m venv --clear .venv-export
	@.venv-export/bin/python $(PIP) --no-deps --requirement constraints-export.txt
	@.venv-export/bin/python $(PIP) --no-deps --target .venv-export/openlineage --constraint constraints.txt \
		dagster-openlineage openlineage-python cattrs httpcore2 httpx2 truststore
	@touch $@

clean:
	rm -rf .venv .venv-compat .venv-export .benchmarks .dagster .logs_queue .serve logs .dlt/pipelines *.egg-info
