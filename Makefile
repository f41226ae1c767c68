# `make run` opens the window, `make test` runs the checks. Both need only python3.11 or newer as python3.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export OMP_NUM_THREADS ?= 1

.PHONY: run test test-slow lint format docs pictures clean

run: $(READY)
	@$(BIN)/teachbox warm
	@$(BIN)/teachbox --or-tour artifacts/tour

test: lint
	@$(BIN)/teachbox warm
	$(BIN)/python -m pytest -n 2

test-slow: $(READY)
	$(BIN)/python -m pytest -m slow --timeout 3600

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The README's pictures, made by the app itself.
pictures: $(READY)
	$(BIN)/teachbox tour --out artifacts/tour
	@for name in drive reward rank correct watch after; do \
		cp artifacts/tour/*-$$name.png docs/pictures/$$name.png; done
	$(BIN)/python -m sandbox.tour.docs_pictures docs/pictures/worlds

# The pages and the reference as a site, in build/site.
docs: $(READY)
	$(BIN)/python -m mkdocs build --strict

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# The environment, made once and again only when what it is made from has changed.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "teachbox needs Python 3.11 or newer, \
	and $(PYTHON) is " + sys.version.split()[0] + ": try `make PYTHON=python3.12 $(MAKECMDGOALS)`")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf .venv artifacts build dist .pytest_cache .mypy_cache .ruff_cache
