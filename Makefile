# demo: watch phones provision themselves on a virtual LAN.   test: lint, types are in `make lint`; the tests here.
# Each target sets up what it needs: a virtual environment from requirements.lock, and, for root on a Debian
# machine, the real DHCP, DNS, TFTP and TLS programs that the tests compare with (tests/lab/packages.txt).

SHELL := /bin/bash
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV   := .venv
RUN    := $(VENV)/bin
# Modules are compiled once, whatever the environment says: the tests start hundreds of programs of ours.
unexport PYTHONDONTWRITEBYTECODE
# Options for pytest: make test ARGS="tests/dns -k srv"
ARGS   ?=
# How many tests run at once: most of a lab test is waiting.
WORKERS ?= auto
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist worksteal

.PHONY: help demo test lint lock fuzz slow kill month clean kill-dhcp

help: ## List the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.ready ## Watch emulated phones provision themselves on a virtual LAN (the main job)
	@$(RUN)/netprov demo

test: $(VENV)/.ready .setup/packages ## Run the tests (under 10 minutes on 2 cores)
	@$(RUN)/python -m pytest $(PARALLEL) $(ARGS)

lint: $(VENV)/.ready ## Check style and types
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy

fuzz: $(VENV)/.ready ## Feed every codec 100,000 malformed messages or more (long)
	@NETPROV_EXAMPLES=$${NETPROV_EXAMPLES:-100000} $(RUN)/python -m pytest --timeout 0 -k fuzz tests

slow: $(VENV)/.ready .setup/packages ## Run what is too long for `make test`: 10,000 connections, 64 MiB over a lossy cable
	@$(RUN)/python -m pytest --timeout 0 -m slow $(ARGS)

kill: $(VENV)/.ready ## Kill `netprov cert` at 100 random moments: the store survives each
	@NETPROV_KILLS=$${NETPROV_KILLS:-100} $(RUN)/python -m pytest --timeout 0 tests/pki/test_kill.py

month: $(VENV)/.ready ## Let emulated phones resync for thirty days of virtual time, with failures
	@NETPROV_DAYS=$${NETPROV_DAYS:-30} $(RUN)/python -m pytest tests/phone/test_life.py

kill-dhcp: $(VENV)/.ready .setup/packages ## kill -9 the DHCP server 50 times under load, and look for lost leases
	@$(RUN)/python -m tests.lab.kill_dhcp 50

bench-%: $(VENV)/.ready .setup/packages ## Measure one part side by side with its peers: dhcp dns check provision phone
	@$(RUN)/python -m tests.bench.$*

$(VENV)/.ready: requirements.lock pyproject.toml
	@.ci/setup python "$(PYTHON)" "$(VENV)"
	@touch $@

.setup/packages: tests/lab/packages.txt
	@.ci/setup packages $<
	@mkdir -p .setup && touch $@

lock: $(VENV)/.ready ## Renew requirements.lock from pyproject.toml (needs uv)
	@uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-emit-index-url --no-emit-find-links --no-annotate --all-extras --group dev pyproject.toml -o requirements.lock

clean: ## Remove the virtual environment and every cache
	@rm -rf $(VENV) .setup .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage dist
