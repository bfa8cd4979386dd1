# Two commands do everything on a fresh machine with Python 3.11 or later: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
VLLM_VENV ?= .venv-vllm
BIN := $(VENV)/bin
export OMP_WAIT_POLICY ?= PASSIVE

REDUCER := */reducer.py,*/commands.py,*/cards.py,*/document.py,*/guide.py,*/turns.py,*/splice.py

.PHONY: help install demo tutorial forecast test test-browser test-exports test-vllm check fix golden bench coverage bench-tui bench-calls bench-scoring tables faults kills fuzz money clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

install: $(VENV)/.installed ## set up .venv with every extra and the development tools

$(VENV)/.installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "sdrl needs Python 3.11 or later; run: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (about a minute)"
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/python -m pip install --quiet $$($(PYTHON) .ci/torch_index.py) -c constraints.txt -e '.[all,dev]'
	@touch $@

demo: install ## the main job on the embedded models: definition to measured gain, into runs/demo
	$(BIN)/sdrl run specs/word-problems.yaml --run runs/demo --yes
	$(BIN)/sdrl report runs/demo

tutorial: install ## follow docs/tutorial.md at full size, every command of it (some minutes)
	$(BIN)/python -m tests.docs.test_tutorial

forecast: demo ## what the plan of the demo expected, beside what the demo used
	$(BIN)/python -m tests.bench.forecast runs/demo

test: install ## the whole test suite
	$(BIN)/python -m pytest

test-browser: install ## the HTML report in a real Chromium (SDRL_CHROMIUM names one that is not on the path)
	$(BIN)/python -m pytest -m browser tests/report

test-exports: install ## every export used in environments without sdrl, and its verifier on 10,000 completions (minutes)
	$(BIN)/python -m tests.export.clean
	$(BIN)/python -m tests.export.agreement

$(VLLM_VENV)/.installed: constraints-vllm.txt
	@test -x $(VLLM_VENV)/bin/python || $(PYTHON) -m venv $(VLLM_VENV)
	@echo "installing vLLM's CPU build into $(VLLM_VENV) (some minutes)"
	@PIP_DISABLE_PIP_VERSION_CHECK=1 $(VLLM_VENV)/bin/python -m pip install --quiet --no-deps $$($(PYTHON) .ci/torch_index.py) -r constraints-vllm.txt
	@touch $@

test-vllm: install $(VLLM_VENV)/.installed ## the tests that need real vLLM (its CPU build, in an environment of its own)
	SDRL_VLLM_PYTHON=$(abspath $(VLLM_VENV))/bin/python $(BIN)/python -m pytest -m vllm tests/vllm

check: install ## format, lint, types, import layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

golden: install ## rewrite the golden files, docs/diagnostics.md and docs/reference; read the diff
	$(BIN)/python -m tests.compiler.golden
	$(BIN)/python -m tests.diagnostics.golden
	$(BIN)/python -m tests.tryout.replay --write
	$(BIN)/python -m tests.docs.reference

fix: install ## let ruff mend what it can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench-tui: install ## the terminal app's budgets in a pseudo-terminal: paint, keys, edits, lag, 50 kills, its tests (7 minutes)
	$(BIN)/python -m tests.bench.tui

coverage: install ## of the terminal app's tests: every branch of the reducer, 85 % of the app's lines (three minutes)
	@$(BIN)/python -m pip install --quiet -c constraints.txt 'coverage>=7.6'
	$(BIN)/python -m coverage run --branch --source=sdrl.authoring,sdrl_tui -m pytest tests/authoring tests/tui
	$(BIN)/python -m coverage report --show-missing --fail-under=100 --include='$(REDUCER)'
	$(BIN)/python -m coverage report --show-missing --fail-under=85 --include='tui/*'

bench: install ## the budgets, each beside a reference in the same run
	$(BIN)/python -m tests.bench

bench-calls: install ## the executor beside a bare aiohttp loop and openai's client: speed, faults, capacities, memory, replay
	$(BIN)/python -m tests.models.bench_calls

bench-scoring: install ## what adaptive scoring saves and loses beside full scorings, over made-up pass rates (a minute)
	$(BIN)/python -m tests.bench.adaptive 20

tables: install ## every arm of the shipped suites that the embedded models can have, at a tiny budget; the controls killed (ten minutes)
	$(BIN)/python -m tests.bench.tables

fuzz: install ## 20,000 damaged and generated specs through loader, compiler and every report
	$(BIN)/python -m tests.spec.fuzz

faults: install ## what kills, full disks, damaged stores and bad endpoints do to runs (half an hour)
	$(BIN)/python -m tests.faults

money: install ## a thousand randomised runs against a provider that keeps its own bill: no cap exceeded; kills of batches (two minutes)
	$(BIN)/python -m tests.models.money_runs 1000
	$(BIN)/python -m tests.end_to_end.batch_kills

kills: install ## a training killed thirty times at random moments ends with the same weights
	SDRL_TEST_KILLS=30 $(BIN)/python -m pytest tests/training/test_kill_safe.py

clean: ## remove what the targets made
	rm -rf $(VENV) $(VLLM_VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
