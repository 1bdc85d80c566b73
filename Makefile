# Every target starts from nothing: the virtual environment is made, or brought up to date, first.
VENV ?= .venv
ifndef PYTHON
PYTHON := $(shell for python in python3.11 python3 python3.12; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] not in [(3, 11), (3, 12)])' 2>/dev/null \
	&& echo $$python && break; done)
endif
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

.PHONY: install demo test test-fast coverage kill-test lint format docs clean

install: $(INSTALLED)

$(INSTALLED): requirements/pinned.txt requirements/dev.txt setup.cfg pyproject.toml
	@test -n "$(PYTHON)" || { echo 'error: needs Python 3.11 or 3.12; name one with: make PYTHON=/path/to/python3.11' >&2; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# xtcocotools has no wheel for Python 3.12 and must be built against the numpy that will be there
	if $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 12))'; then \
		$(BIN)/pip install setuptools==80.10.2 wheel cython numpy==1.26.4 && \
		$(BIN)/pip install --no-build-isolation --no-deps xtcocotools==1.14.3; fi
	$(BIN)/pip install -r requirements/pinned.txt -r requirements/dev.txt
	$(BIN)/pip install --no-deps mmpose==1.3.2
	$(BIN)/pip install --no-deps --no-build-isolation -e .
	touch $@

demo: install
	$(BIN)/python tools/demo.py

# One thread a process: the processes share the cores, and one that is done takes over what others still have to do.
SUITE := -m pytest -n auto --maxprocesses 4 --dist worksteal --timeout
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python $(SUITE) 900

test: install
	$(PYTEST)

test-fast: install
	$(PYTEST) -m 'not slow'

# Branch coverage of the packages, of all processes of the suite; half as long again as `make test`.
coverage: install
	rm -f .coverage .coverage.*
	OMP_NUM_THREADS=1 $(BIN)/coverage run $(SUITE) 1800
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --fail-under=90

# Thirty kills at random moments of each training, each kind of extraction, answers over a folder and cross-validation; the suite has one or two.
kill-test: install
	KILLS=30 $(PYTEST) -rP --timeout 3600 tests/paths/test_random_kills.py \
		tests/paths/test_killed_extraction.py tests/paths/test_killed_answers.py \
		tests/paths/test_killed_cross_validation.py tests/paths/test_survival.py

# The variable silences an advertisement of the theme's successor.
MKDOCS := NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

docs: install
	$(MKDOCS)

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m benchmarks.licences --quiet
	@# the two that take long run beside each other; both must succeed
	$(BIN)/mypy & types=$$!; $(MKDOCS); pages=$$?; wait $$types && exit $$pages

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) build dist site *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis demo
