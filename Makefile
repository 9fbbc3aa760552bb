# One word for each thing to do. Needs Python 3.11 or newer with its venv module, and make.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
QUANTIZED := $(VENV)/quantized
WEB := $(BIN)/python scripts/web_tools.py

.PHONY: demo test test-slow check lint types layers web web-check schema serve bench thumbnails screenshots
.DEFAULT_GOAL := demo

# A picture from the embedded model; the second time it is read from the cache.
demo: $(INSTALLED)
	$(BIN)/nodeflow run workflows/text_to_image.json

# All checks and all tests; a failing check does not hide what the tests say.
test: $(INSTALLED) $(QUANTIZED)
	@status=0; $(MAKE) --no-print-directory --keep-going check web || status=1; \
	$(WEB) chromium || status=1; $(BIN)/python scripts/run_tests.py || status=1; exit $$status

# What `make test` leaves out: a full-size SDXL beside diffusers, with 7 GB of disk and 18 GB of memory.
test-slow: $(INSTALLED)
	$(BIN)/python -m pytest -m slow

check: lint types layers web-check

lint: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(INSTALLED)
	$(BIN)/mypy

layers: $(INSTALLED)
	$(BIN)/lint-imports

# The editor: built into nodeflow/server/site if its sources changed.
web: $(INSTALLED)
	$(WEB) build

# Lint, types, tests of the editor, and whether src/gen/ is what schema/ says.
web-check: $(INSTALLED)
	$(WEB) npm run check
	$(WEB) npm test

# What crosses the wire, from the Python models: schema/*.json and web/src/gen/*.ts.
schema: $(INSTALLED)
	$(BIN)/python -m nodeflow.server.schemas
	$(WEB) npm run types

# The server: the editor, the API and its documentation. Ctrl-C ends it; what is queued is kept.
# It builds the editor by itself; without Node it still serves the rest.
serve: $(INSTALLED)
	-$(WEB) node
	$(BIN)/nodeflow serve

# What things cost on this machine, as a table.
bench: web
	$(BIN)/python benchmarks/engine.py
	$(BIN)/python benchmarks/server.py
	$(BIN)/python benchmarks/editor.py
	$(BIN)/python benchmarks/models.py

# The pictures of the templates, workflows/*.webp; look at them before you commit them.
thumbnails: $(INSTALLED)
	$(BIN)/python scripts/make_thumbnails.py

# The pictures of the editor, docs/editor/*.webp; look at them too. With Chromium, as the tests.
screenshots: web
	$(WEB) chromium
	$(BIN)/python -m scripts.make_screenshots

# The stamp is older than the list of what to install: install (again).
$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	{ echo "nodeflow needs Python 3.11 or newer: make PYTHON=/path/to/python3.11"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

# Beside the rest: diffusers imports these wherever it finds them, and they have much to say then.
$(QUANTIZED): constraints.txt | $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
	--target $@ -c constraints.txt torchao bitsandbytes
	@touch $@
