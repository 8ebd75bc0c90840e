# tjapi: everything a newcomer needs, each on one line. `make` alone lists it.
SHELL := /bin/sh
PORT ?= 8000
STATE ?= .state
PYTHON ?= python3
EXAMS ?= 20000
PEOPLE ?= 600
DESKS ?= 20
GROWTH ?= 200000
REPORTS ?= 20
VENV := .venv
BIN := $(VENV)/bin
UV_COMPILE = uv pip compile --universal --generate-hashes --no-emit-index-url --no-header -q -p 3.11 pyproject.toml --extra build

.PHONY: help run visit test check fmt contract bench bench-growth morning torture reading twins openapi requirements lock browser pdfsig operator docs clean
help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' Makefile | sed 's/:.*## /\t/' | expand -t 16

$(VENV)/.runtime: requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: $(VENV)/.runtime requirements-dev.lock
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

run: $(VENV)/.runtime ## start everything: API, worker, gateway, sandbox peers, embedded PostgreSQL and Valkey  [PORT=8000] [STATE=.state]
	@exec $(BIN)/tjapi up --port $(PORT) --state $(STATE)

visit: $(VENV)/.runtime ## play one whole visit against a running server, over HTTP and MLLP only
	@exec $(BIN)/tjapi visit --state $(STATE) $(if $(filter command line environment,$(origin PORT)),--port $(PORT),)

test: $(VENV)/.dev ## every test, in parallel on cloned databases
	@exec $(BIN)/python -m tests

check: $(VENV)/.dev ## lint, types, import contracts, contract drift, medical content
	$(BIN)/ruff format --check -q .
	$(BIN)/ruff check -q .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/tjapi content check

fmt: $(VENV)/.dev ## format
	$(BIN)/ruff format -q .
	$(BIN)/ruff check -q --fix .

openapi: $(VENV)/.runtime ## regenerate openapi/v1.json and openapi/problems.json
	$(BIN)/tjapi contract write

requirements: $(VENV)/.dev ## requirement rows, their operations and their tests, as Markdown
	@$(BIN)/python -m tests.requirements

torture: $(VENV)/.dev ## the full tier: 50 kills amid 20,000 messages, 10,000 damaged ones, a million parsed, a day of results in 200 orders, an exam under 300 orders of commands, 2,000 walks of what is derived, 1,000 flipped bits of a report
	@TJ_TEST_BUDGET=36000 $(BIN)/python -m pytest tests/adapters tests/faults tests/tjapi/conclusion tests/tjapi/exam tests/tjapi/report tests/tjapi/result -m torture -n 0 -s

reading: $(VENV)/.dev ## read 20 published reports of a running demo (`make run`) line by line against its rows  [REPORTS=20 STATE=.state]
	@exec $(BIN)/python -m tests.reading $(STATE) $(REPORTS)

twins: $(VENV)/.dev ## break each guard on purpose; its test must turn red
	@exec $(BIN)/python -m tests.twins

contract: $(VENV)/.dev ## the contract against the server, wide: every boundary of every field of every operation
	@TJ_SCHEMATHESIS_EXAMPLES=60 TJ_TEST_BUDGET=3600 $(BIN)/python -m tests tests/contract

bench: $(VENV)/.dev ## every path beside its floor, in one interleaved run  [EXAMS=20000]
	@$(BIN)/python -m bench --exams $(EXAMS)
	@$(BIN)/python -m bench.documents
	@$(BIN)/python -m bench.morning

morning: $(VENV)/.dev ## 600 people checked in at 20 desks while results arrive and the board is watched  [PEOPLE=600 DESKS=20]
	@exec $(BIN)/python -m bench.morning --people $(PEOPLE) --desks $(DESKS)

bench-growth: $(VENV)/.dev ## how reads and lists grow up to 200,000 exams  [GROWTH=200000]
	@exec $(BIN)/python -m bench --growth $(GROWTH)

browser: ## install Chromium for the page tests (Debian)
	@command -v chromium >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; }

operator: ## install pgbouncer and promtool, for the tests of poolers and alarm rules (Debian)
	@command -v pgbouncer >/dev/null && command -v promtool >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends pgbouncer prometheus; }

docs: $(VENV)/.runtime ## regenerate those pages of docs/ that the code writes
	$(BIN)/tjapi docs write

pdfsig: ## install Poppler's pdfsig, another opinion on seals, for their tests (Debian)
	@command -v pdfsig >/dev/null || { apt-get update -qq && apt-get install -y -qq --no-install-recommends poppler-utils; }

lock: ## recompile the hash-locked requirements (needs uv)
	$(UV_COMPILE) -o requirements.lock
	$(UV_COMPILE) --extra dev -o requirements-dev.lock

clean: ## remove the virtual environment and the default state
	rm -rf $(VENV) .state
