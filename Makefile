# make demo · make test · make names · make docs · make bench · make lint: each sets up what it needs in .venv.
# make bench-rivals: what people run instead, in an environment of its own, .venv-rivals.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := pyproject.toml setup.py $(wildcard src_cy/*)
BENCH := --benchmark-columns=median,iqr,rounds --benchmark-sort=name

.PHONY: demo test test-slow names docs bench bench-compare bench-history \
	bench-instructions bench-rivals lint clean

demo: $(VENV)/installed-all
	$(BIN)/fastgames reproduce cycling --out build

test: $(VENV)/installed-test
	$(BIN)/pytest -m "not slow" --numprocesses auto --dist worksteal --durations 20

test-slow: $(VENV)/installed-test
	$(BIN)/pytest -m slow

# The indexes of names, once a game has been added.
names: $(VENV)/installed-test
	$(BIN)/python tests/names.py

# The site, into build/site/: every snippet is run, every page of a learner or a game draws its picture.
docs: $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/installed-bench
	$(BIN)/pytest bench $(BENCH)

# The same, and the figures are added to bench/history/ and drawn in build/bench-history.html.
bench-history: $(VENV)/installed-bench
	@mkdir -p build
	$(BIN)/pytest bench $(BENCH) --benchmark-json=build/bench.json
	$(BIN)/python bench/history.py --add build/bench.json

# BASE=revision (and HEAD=another, else the working tree): side by side; fails where slower by 3 %.
bench-compare: $(VENV)/installed-test
	$(BIN)/python bench/compare.py $(or $(BASE),$(error BASE=revision to compare with)) $(HEAD)

# Counted by callgrind; fails where one has risen by 1 %. REASON="..." stores the counts.
bench-instructions: $(VENV)/installed-test
	$(BIN)/python bench/instructions.py $(if $(BASE),--base $(BASE)) \
		$(if $(REASON),--update --reason "$(REASON)")

bench-rivals: .venv-rivals/installed
	.venv-rivals/bin/python bench/rivals/compare.py
	.venv-rivals/bin/python bench/rivals/cold.py

# One by one: a rival that cannot be installed here is a line of the table that says so.
.venv-rivals/installed: bench/rivals/requirements.txt $(SOURCES) $(shell find fastgames -name '*.py')
	$(PYTHON) -m venv .venv-rivals
	grep -v '^#' $< | xargs -n 1 .venv-rivals/bin/pip install --quiet --constraint $< \
		|| echo "not all rivals could be installed"
	.venv-rivals/bin/pip install --quiet --force-reinstall --no-deps .
	@touch $@

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m numpydoc lint $$(find fastgames -name '*.py')
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/mypy
	$(BIN)/mypy --strict --config-file= --follow-imports=silent tests/typing/program.py
	$(BIN)/pyright --pythonpath $(BIN)/python tests/typing/program.py
	$(BIN)/python tests/typing/completeness.py 98

# The package in development mode with what users may add; built again when its sources change.
$(VENV)/installed-all: $(SOURCES) | $(BIN)/python
	$(BIN)/pip install --quiet --editable ".[all]"
	@touch $@

# The same with every extra, and one of the dependency groups in pyproject.toml.
$(VENV)/installed-%: $(SOURCES) | $(BIN)/python
	$(BIN)/pip install --quiet --editable ".[all,openspiel]" --group $*
	@touch $@

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade "pip>=25.1"

clean:
	rm -rf $(VENV) .venv-rivals build *.egg-info fastgames/_core/*.so
