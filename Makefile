# One word for each thing to do. Needs Python 3.11 or newer with its venv module, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: demo test check serve bench
.DEFAULT_GOAL := demo

# A picture from the embedded model; the second time it is read from the cache.
demo: $(INSTALLED)
	$(BIN)/nodeflow run workflows/text_to_image.json

# All tests and all checks.
test: check
	$(BIN)/python -m pytest

# Format, lint, types and layers.
check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The editor in the browser.
serve: $(INSTALLED)
	@if $(BIN)/nodeflow serve --help >/dev/null 2>&1; then $(BIN)/nodeflow serve; \
	else echo "'nodeflow serve' comes with the server, which this version does not have yet."; fi

# What things cost on this machine, as tables.
bench: $(INSTALLED)
	@set -e; for file in benchmarks/bench_*.py; do $(BIN)/python "$$file"; done

# The stamp is older than the list of what to install: install (again).
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "nodeflow needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@
