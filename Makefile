VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
ARGS ?=
PROCESSES ?= 2

.PHONY: demo test check static chaos bench peers docs env clean help

help: ## what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

env: $(STAMP) ## the environment in .venv, from hashed requirements

$(STAMP): requirements-dev.txt pyproject.toml
	test -x $(PY) || python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $(STAMP)

demo: $(STAMP) ## Amazon orders travelling into M3 on this machine; ARGS="--exit --orders 200 --seed 7"
	$(VENV)/bin/o2c demo $(ARGS)

test: $(STAMP) ## all tests, on real Temporal servers, in two processes; ARGS="-n 0 -x" for one
	$(PY) -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

static: $(STAMP) ## format, lint, types, import contract
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

check: static test ## everything CI looks at

chaos: $(STAMP) ## the long runs: an outage of M3 with 1,000 orders, every held reason in the Web UI
	$(PY) -m pytest -m long $(ARGS)

bench: $(STAMP) ## benchmarks, as ratios in one run; BENCH=order, or intake with ARGS="--count 100"
	$(PY) -m tests.bench $(BENCH) $(ARGS)

peers: ## what BENCH=intake and BENCH=settlement are compared with, in an environment of their own (.venv-peers)
	test -x .venv-peers/bin/python || python3 -m venv .venv-peers
	.venv-peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-peers.txt

docs: $(STAMP) ## the documentation, in test-output/docs; any warning or broken link is an error
	$(PY) docs/generate_configuration.py
	$(PY) docs/generate_bookings.py
	$(VENV)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env docs test-output/docs
	$(PY) docs/check_links.py test-output/docs

clean: ## remove what was built here
	rm -rf $(VENV) .venv-peers .demo .tutorial test-output build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
