# The open 12345. `make help` lists what there is to do.

SHELL := /bin/sh
.DEFAULT_GOAL := help
PY := .venv/bin/python
JOBS ?= 3

.PHONY: help setup test-setup demo run test test-fast test-attack test-bare chaos day bench bench-quick bench-setup check golden lint lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

setup: ## install what is missing: OS packages, Python packages in .venv, Asterisk
	@./setup.sh

test-setup:
	@./setup.sh tests

demo: setup ## place real calls through the example city and show what became of them
	@bin/hotline demo

run: setup ## serve the example city in the foreground until Ctrl-C
	@bin/hotline run

test: test-setup lint ## the whole test suite, real Asterisk included (12 to 15 minutes)
	@# In a folder of its own with a short path, which Asterisk's control sockets need. What has failed is tried
	@# once more alone, in new cities and without neighbours: docs/decisions/0012.
	@folder=$$(mktemp -d /tmp/hotline.XXXXXX) && run="$(PY) -m pytest -q -o cache_dir=$$folder/cache" && \
	  { $$run -n $(JOBS) --dist loadfile --basetemp="$$folder/t" --ignore=tests/chaos/test_full_disk.py tests; code=$$?; \
	    [ $$code != 1 ] || { echo "once more, alone: what has failed" && $$run -n 0 --last-failed --basetemp="$$folder/u" tests; code=$$?; }; \
	    rm -rf "$$folder"; exit $$code; }

test-fast: test-setup ## the tests that need no Asterisk
	@$(PY) -m pytest -q -n $(JOBS) --dist loadfile tests/unit tests/contract tests/golden

test-attack: test-setup ## the attack tests in full: 50,000 malformed messages and more (3 minutes)
	@folder=$$(mktemp -d /tmp/hotline.XXXXXX) && \
	  { HOTLINE_ATTACK=long $(PY) -m pytest -q -p no:cacheprovider --basetemp="$$folder/t" tests/attack; code=$$?; \
	    rm -rf "$$folder"; exit $$code; }

test-bare: ## the README's two commands on a bare machine, made for the occasion
	@tests/bare.sh

chaos: test-setup ## everything that can fail fails under fifty calls; a table of what was lost (5 minutes)
	@$(PY) -m tests.chaos
	@$(PY) -m pytest -q -p no:cacheprovider tests/chaos/test_full_disk.py

day: setup ## a day of calls simulated over the real matcher, with Erlang C beside it
	@$(PY) -m bench day

bench: bench-setup ## every benchmark, side by side with other ways; writes docs/benchmarks.md (two hours or more)
	@$(PY) -m bench all

bench-quick: bench-setup ## a look at every benchmark, no judgement; only printed (5 minutes)
	@$(PY) -m bench all --quick

bench-setup:
	@./setup.sh bench

check: setup ## check the example city's settings
	@bin/hotline check

golden: test-setup ## write the golden files anew; read the difference before you commit it
	@$(PY) -m pytest -q tests/golden --golden-write

lint: test-setup ## style, types, layers
	@.venv/bin/ruff check -q . && .venv/bin/ruff format -q --check . && .venv/bin/mypy && .venv/bin/lint-imports --no-logo

lock: test-setup ## pin the dependencies of requirements*.in anew, with hashes
	@for part in requirements requirements-dev requirements-bench; do \
	  .venv/bin/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
	    --strip-extras --allow-unsafe -o $$part.txt $$part.in || exit 1; done

clean: ## remove what was built; Asterisk and recorded calls stay
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -not -path './.asterisk/*' -not -path './.tools/*' -prune -exec rm -rf {} +
