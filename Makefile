# `make demo` and `make test` need Python >= 3.11 and a network for packages; both are safe to repeat.
PYTHON ?= python3
VENV ?= .venv
PIP_FLAGS ?=
BIN = $(VENV)/bin
INSTALLED = $(VENV)/.installed

.PHONY: demo test feedback containers lint install clean

demo: install
	$(BIN)/autograder demo --out out/demo

test: install
	$(BIN)/python -m pytest -n 3 --dist loadfile $(PYTEST_FLAGS)

feedback: install  # what students read, kept in tests/feedback/: run it after a change that is meant, then read the diff
	KEEP_FEEDBACK=1 $(BIN)/python -m pytest -q tests/test_feedback.py -k sees

containers: install
	$(BIN)/python tests/containers/run.py $(CONTAINERS_FLAGS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

install: $(INSTALLED)

$(INSTALLED): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt torch torchvision
	$(BIN)/pip install --quiet --disable-pip-version-check $(PIP_FLAGS) -c constraints.txt -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) out .pytest_cache .ruff_cache .mypy_cache .hypothesis build ./*.egg-info
