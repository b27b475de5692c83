# Every target does its own set-up; each works as the first and only command on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE_MODULES := tests/e2e/js/node_modules/.package-lock.json
export PYTHON

.PHONY: help setup demo test lint format interop bench shots lock clean

help:
	@echo "make setup   create .venv with everything locked; leaves $(BIN)/meshscope"
	@echo "make demo    the window on a moving demo mesh (without a screen: 20 s offscreen, build/demo.png)"
	@echo "make test    all tests, with real servers and real MoleculerJS nodes"
	@echo "make lint    ruff, mypy --strict, import contracts"
	@echo "make interop our node and MoleculerJS 0.14 and 0.15, both ways, as a table"
	@echo "make bench   speed, as ratios to baselines of the same run; writes bench.json"
	@echo "make shots   pictures of every view, both themes, two sizes, into build/shots/"
	@echo "make lock    resolve the dependencies anew into requirements.lock"

# What a target needs of the system is asked for at once, before anything is installed.
NEEDS := base
demo shots: NEEDS := base window
test interop bench: NEEDS := base window test

setup: $(VENV)/.ready

$(VENV)/.ready: requirements.lock pyproject.toml hatch_build.py tools/setup.sh $(wildcard broker/native/*.[ch])
	@tools/system-packages.sh $(NEEDS)
	@tools/setup.sh $(VENV)

$(NODE_MODULES): tests/e2e/js/package-lock.json
	@tools/system-packages.sh $(NEEDS)
	cd tests/e2e/js && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

demo: $(VENV)/.ready
	@tools/system-packages.sh $(NEEDS)
	@$(BIN)/python -m app demo --show build/demo.png

test: $(VENV)/.ready $(NODE_MODULES)
	@tools/system-packages.sh $(NEEDS)
ifeq ($(strip $(PYTEST_ARGS)),)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -n 2 --dist loadfile -m "not alone"
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest -m alone
else
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m pytest $(PYTEST_ARGS)
endif

lint: $(VENV)/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

interop: $(VENV)/.ready $(NODE_MODULES)
	@tools/system-packages.sh $(NEEDS)
	@$(BIN)/python -m tests.interop $(INTEROP_ARGS)

bench: $(VENV)/.ready $(NODE_MODULES)
	@tools/system-packages.sh $(NEEDS)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m bench $(BENCH_ARGS)

shots: $(VENV)/.ready
	@tools/system-packages.sh $(NEEDS)
	QT_QPA_PLATFORM=offscreen $(BIN)/python -m app.shots build/shots

lock:
	uv pip compile -q --universal --python-version 3.11 --generate-hashes --all-extras --group dev \
		--custom-compile-command "make lock" pyproject.toml -o requirements.lock

clean:
	rm -rf build broker/native/*.so .mypy_cache .ruff_cache .hypothesis .import_linter_cache
