# Each target does the set-up it needs. Only Python 3.11+ and make have to be there.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: setup demo serve test lint bench chaos eval lock clean

setup: $(VENV)/.installed-dev

demo: $(VENV)/.installed
	@$(BIN)/greenroom demo

serve: $(VENV)/.installed
	@$(BIN)/greenroom serve

# Two processes, each with a Postgres of its own: many tests wait, and a third would have no core to itself on a small machine.
test: lint
	$(BIN)/python -m pytest -n 2 --dist worksteal

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.installed-bench
	$(BIN)/python -m bench

chaos: $(VENV)/.installed-dev
	$(BIN)/python -m chaos

# Figures on how well searches are understood and answered, over data that nothing was chosen on.
eval: $(VENV)/.installed-dev
	$(BIN)/python -m evaluation

# Resolves the lock files anew; pip-tools lives in an environment of its own.
lock:
	$(PYTHON) -m venv $(VENV)-lock
	$(VENV)-lock/bin/python -m pip install --quiet pip-tools
	$(VENV)-lock/bin/pip-compile $(LOCK_FLAGS) --extra build -o requirements.lock pyproject.toml
	$(VENV)-lock/bin/pip-compile $(LOCK_FLAGS) --extra build --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
	$(VENV)-lock/bin/pip-compile $(LOCK_FLAGS) --extra build --extra dev --extra bench -c requirements-dev.lock -o requirements-bench.lock pyproject.toml
	echo triotp | $(VENV)-lock/bin/pip-compile $(LOCK_FLAGS) -o - - | awk '/^[a-z]/ { keep = /^triotp==/ } keep' | grep -v '#' > requirements-bench-triotp.lock

LOCK_FLAGS := --quiet --upgrade --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --annotation-style=line

clean:
	rm -rf $(VENV) $(VENV)-lock .mypy_cache .ruff_cache .pytest_cache .import_linter_cache build dist

$(VENV)/bin/python:
	@echo "Creating $(VENV) ..."
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "greenroom needs Python 3.11, 3.12 or 3.13; set PYTHON=... to name one")'
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing greenroom and its locked dependencies ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing what tests and lint need ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# triotp asks for a Trio of 2021 and gets ours: installed without its dependencies, which the first lock holds.
$(VENV)/.installed-bench: requirements-bench.lock requirements-bench-triotp.lock $(VENV)/.installed-dev
	@echo "Installing the peers that greenroom is measured beside ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-bench-triotp.lock
	@touch $@
