# One word for each thing to do. Needs Python 3.11 or newer with its venv module, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check lint types layers serve bench
.DEFAULT_GOAL := demo

# A picture from the embedded model; the second time it is read from the cache.
demo: $(INSTALLED)
	$(BIN)/nodeflow run workflows/text_to_image.json

# All checks and all tests; a failing check does not hide what the tests say.
test: $(INSTALLED)
	@status=0; $(MAKE) --no-print-directory --keep-going check || status=1; \
	$(BIN)/python -m pytest || status=1; exit $$status

check: lint types layers

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

# The server: its pages, its API and its documentation. Ctrl-C ends it; what is queued is kept.
serve: $(INSTALLED)
	$(BIN)/nodeflow serve

# What things cost on this machine, as a table.
bench: $(INSTALLED)
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/server.py

# The stamp is older than the list of what to install: install (again).
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "nodeflow needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
