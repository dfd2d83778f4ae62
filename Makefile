# The gateway's commands. `make` alone lists them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || echo python3)
BIN := $(CURDIR)/.venv/bin
INSTALLED := .venv/installed
ROOMS := keys records catalog ledger connectors expectations release masking delivery console gateway ledger_audit

# Airflow's home is this folder (airflow.cfg); `*_cmd` secrets need the environment's own python first on the path.
export AIRFLOW_HOME := $(CURDIR)
export PATH := $(BIN):$(PATH)
# Great Expectations would otherwise report its use to its makers.
export GX_ANALYTICS_ENABLED := false
# Compiled modules are kept, or every one of Airflow's processes compiles everything again.
unexport PYTHONDONTWRITEBYTECODE
unexport VIRTUAL_ENV

.PHONY: help install run up test check crash model tamper lock bench-night bench-permit bench-deliver clean

help:  ## this list
	@grep -E '^[a-z-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/:.*## /\t/' | awk -F '\t' '{printf "  make %-13s%s\n", $$1, $$2}'

install: $(INSTALLED)  ## the set-up alone, into .venv

$(INSTALLED): requirements.lock bootstrap.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info[:2] == (3, 11) else "Python 3.11 is needed; name it with make PYTHON=/path/to/python3.11")'
	@$(PYTHON) -m venv .venv || { echo "Python's venv module does not work here: on Debian, apt-get install python3-venv" >&2; exit 1; }
	@echo "installing into .venv (some minutes the first time)"
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: $(INSTALLED)  ## one real night through the Airflow DAGs, on the sample world; again: on the state of the last
	@$(BIN)/python -m gateway.run

up: $(INSTALLED)  ## Airflow's components and the sample world, until Ctrl-C (PORT=8080)
	@exec $(BIN)/python -m gateway.up

test: $(INSTALLED)  ## all tests, a file at a time on every core
	$(BIN)/python -m pytest tests -n logical --dist loadfile

crash: $(INSTALLED)  ## kill -9 at every effect of a journey, and at pairs of them (PAIRS=500 SEED=1)
	@$(BIN)/python -m tests.crash --pairs $(or $(PAIRS),500) --seed $(or $(SEED),1)

model: $(INSTALLED)  ## the whole gateway beside a small model of it (EXAMPLES=200 SEED=1)
	@$(BIN)/python -m tests.model --examples $(or $(EXAMPLES),200) --seed $(or $(SEED),1)

tamper: $(INSTALLED)  ## flips every byte of every line of a ledger, and has the auditor look at each
	@$(BIN)/python -m tests.ledger_audit

check: $(INSTALLED)  ## linter, types, import contract
	$(BIN)/ruff check .
	$(BIN)/mypy $(addprefix -p ,$(ROOMS))
	$(BIN)/lint-imports

lock: $(INSTALLED)  ## compile requirements.lock and bootstrap.lock anew
	$(BIN)/uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --all-extras --upgrade \
		--no-emit-index-url --no-header --quiet -o requirements.lock
	printf 'uv>=0.13\nsetuptools>=80\n' | $(BIN)/uv pip compile - --universal --python-version 3.11 --generate-hashes \
		--upgrade --no-emit-index-url --no-header --no-annotate --quiet -o bootstrap.lock

bench-night: $(INSTALLED)  ## the speed of the whole road beside dlt's (ROWS=300000)
	@$(BIN)/python -m bench.night

bench-permit: $(INSTALLED)  ## the speed of the decision who may have what, by column and record by record (ROWS=300000)
	@$(BIN)/python -m bench.permit

bench-deliver: $(INSTALLED)  ## a first load to two recipients, and then a night with few changes (ROWS=500000)
	@$(BIN)/python -m bench.deliver

clean:  ## remove what was made: environment, state, keys, caches
	rm -rf .venv var logs build *.egg-info airflow.db* .pytest_cache .hypothesis .mypy_cache .ruff_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
