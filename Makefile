# Two commands on a fresh machine with Python 3.11 or 3.12:
#   make demo    sets up, plays a season on the embedded chain, writes demo-report/index.html
#   make test    sets up, passes the tests
SHELL := /bin/bash
PYTHON ?= $(shell for p in python3 python3.12 python3.11; do $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null && echo $$p && break; done)
UV := .uv/bin/uv
UV_SYNC := UV_PROJECT_ENVIRONMENT=.venv $(UV) sync --frozen --inexact --python $(PYTHON)
# Ape finds the compiler by PATH, and keeps its accounts under HOME.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PYTHONPATH := $(CURDIR)
# Tests start hundreds of processes; one of Ape's takes twice as long where Python may not keep what it compiled.
unexport PYTHONDONTWRITEBYTECODE

CONTRACTS := $(wildcard contracts/*.vy)
MATCHES ?=

.DEFAULT_GOAL := help

.PHONY: help demo test check format integration campaign bench snapshot abi devnet web club clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo: .venv/.ops ## play a season of markets on real matches; MATCHES=51 plays all
	@ape run demo $(if $(MATCHES),--matches $(MATCHES))

test: .venv/.dev ## all tests that need no Node, no browser and a few minutes
	pytest -m "not campaign and not anvil and not browser and not postgres" -n 2 --dist loadfile --no-loadscope-reorder

check: .venv/.dev ## formatters, linters, types, compiler warnings, sizes, gas, generated files
	ruff format --check .
	ruff check .
	basedpyright
	printf "%s\n" $(CONTRACTS) | xargs -P 2 -I{} natrix lint {} -d NTX1 NTX4 NTX11
	python scripts/check_contracts.py
	python -m benchmarks.gas --check
	python scripts/export_abi.py --check
	python scripts/api_page.py --check
	@if command -v npm >/dev/null; then $(MAKE) -s web/node_modules && npm run --silent --prefix web check; \
	else echo "The page was not checked: there is no Node here."; fi

format: .venv/.dev ## rewrite what check would complain about
	ruff check --fix .
	ruff format .
	@if [ -d web/node_modules ]; then npm run --silent --prefix web format; fi

integration: .venv/.dev node_modules web/node_modules ## what needs Node, a browser or PostgreSQL: devnet, keeper, page, real parts
	npm run --silent typecheck
	pytest -m "(anvil or browser or postgres) and not campaign" -n 3 --dist loadgroup --no-loadscope-reorder

campaign: .venv/.dev node_modules .cache/halmos/.done ## the long runs: a million states, deep state machines, proofs, mutants
	pytest -m campaign -n 2
	python -m tests.symbolic
	python -m tests.mutation
	python -m tests.mutation_python

bench: .venv/.dev node_modules ## gas on anvil beside the peers' figures; 5,000 winners paid; a host of 500 players, a club of 200 phones, live engines under load
	python -m benchmarks.gas --anvil
	python -m benchmarks.keeper --write
	python -m benchmarks.host --write
	python -m benchmarks.club --write
	python -m benchmarks.live --write

snapshot: .venv/.dev ## rewrite snapshots/ after a change of gas or size that is meant
	python scripts/check_contracts.py --write
	python -m benchmarks.gas --write

abi: .venv/.dev ## rewrite frontend-abi/
	python scripts/export_abi.py

devnet: .venv/.ops ## anvil with everything deployed and funded accounts, PORT=... for another port (needs Node)
	@python scripts/devnet.py $(if $(PORT),--port $(PORT))

web: .venv/.ops web/node_modules ## the page on a devnet of its own, HOST=0.0.0.0 for phones, PORT=... (needs Node)
	@python scripts/web.py $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

club: .venv/.ops web/node_modules ## friends with phones in the same network play on a devnet, HOST=..., PORT=... (needs Node)
	@python scripts/club.py $(if $(HOST),--host $(HOST)) $(if $(PORT),--port $(PORT))

clean: ## remove what was built
	rm -rf .venv .uv .build .cache node_modules web/node_modules web/dist demo-report

.uv/bin/uv:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or 3.12 is needed: install it, or say make PYTHON=/path/to/python"; exit 1; }
	@echo "Setting up (once) ..."
	@$(PYTHON) -m venv .uv && .uv/bin/pip install -q --disable-pip-version-check uv==0.13.9

.venv/.ops: $(UV) uv.lock pyproject.toml
	@$(UV_SYNC) -q --no-default-groups --group ops && touch $@

.venv/.dev: $(UV) uv.lock pyproject.toml
	@$(UV_SYNC) -q && touch $@ .venv/.ops

# Halmos needs another rich than Ape: it has an environment of its own.
.cache/halmos/.done: $(UV) tests/symbolic/requirements.txt
	$(UV) venv -q --clear --python $(PYTHON) .cache/halmos
	$(UV) pip sync -q --python .cache/halmos tests/symbolic/requirements.txt && touch $@

node_modules: package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or later is needed here: https://nodejs.org"; exit 1; }
	npm ci --silent && touch $@

web/node_modules: web/package-lock.json
	@command -v npm >/dev/null || { echo "Node 20 or later is needed here: https://nodejs.org"; exit 1; }
	npm ci --silent --prefix web && touch $@
