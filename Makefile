# demo: watch phones provision themselves on a virtual LAN.   test: lint, types are in `make lint`; the tests here.
# Each target sets up what it needs: a virtual environment with exactly what requirements.lock names; for developers'
# targets, what requirements-dev.lock adds, and, for root on a Debian machine, the real DHCP, DNS, TFTP and TLS
# programs that the tests compare with (tests/lab/packages.txt).

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
# Options for uv: what `make lock` does with the versions there are.
UPGRADE ?= --upgrade
# How many tests run at once: one more than there are cores, for most of a lab test is waiting.
WORKERS ?= $(shell expr $$(nproc) + 1)
PARALLEL := -n $(WORKERS) --maxprocesses 4 --dist worksteal

.PHONY: help
help: ## List the targets
	@awk -F':.*## ' '/^[a-z%-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(VENV)/.run ## Watch emulated phones provision themselves on a virtual LAN (the main job)
	@$(RUN)/netprov demo

.PHONY: test
test: $(VENV)/.dev .setup/packages .setup/pips/.all ## Run the tests (under 10 minutes on 2 cores)
	@$(RUN)/python -m pytest $(PARALLEL) $(ARGS)

.PHONY: lint
lint: $(VENV)/.dev ## Check style and types
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy

.PHONY: fuzz
fuzz: $(VENV)/.dev ## Feed every codec 100,000 malformed messages or more (long)
	@NETPROV_EXAMPLES=$${NETPROV_EXAMPLES:-100000} $(RUN)/python -m pytest --timeout 0 -m fuzz $(ARGS)

.PHONY: differential
differential: $(VENV)/.dev .setup/packages ## Ask NSD, Knot, BIND and netprov 10,000 questions about random zones (1 min)
	@NETPROV_DIFFERENTIAL=$${NETPROV_DIFFERENTIAL:-10000} $(RUN)/python -m pytest --timeout 0 -s tests/lab/test_dns_random.py $(ARGS)

.PHONY: prove
prove: $(VENV)/.dev .setup/packages ## Prove every import and export beside the other servers, 100 changes found (15 min)
	@NETPROV_PROOFS=all $(RUN)/python -m pytest $(PARALLEL) --timeout 0 tests/compare tests/convert/test_there_and_back.py \
	    tests/lab/test_*_proof.py $(ARGS)

.PHONY: slow
slow: $(VENV)/.dev .setup/packages ## Run what is too long for `make test`: 10,000 connections, 64 MiB over a lossy cable
	@$(RUN)/python -m pytest --timeout 0 -m slow $(ARGS)

.PHONY: systemd
systemd: $(VENV)/.dev .setup/packages ## Boot a Debian tree with the units, and see what each role can read and write
	@NETPROV_DEBIAN=1 $(RUN)/python -m pytest --timeout 0 -m "slow or not slow" tests/systemd $(ARGS)

.PHONY: steady
steady: $(VENV)/.dev ## Run the ten tests that depend most on time 200 times each while every core is busy
	@$(RUN)/python -m tests.steady $${NETPROV_RUNS:-200}

.PHONY: kill
kill: $(VENV)/.dev ## Kill `netprov cert` at 100 random moments: the store survives each
	@NETPROV_KILLS=$${NETPROV_KILLS:-100} $(RUN)/python -m pytest --timeout 0 tests/pki/test_kill.py

.PHONY: month
month: $(VENV)/.dev ## Let emulated phones resync for thirty days of virtual time, with failures
	@NETPROV_DAYS=$${NETPROV_DAYS:-30} $(RUN)/python -m pytest tests/phone/test_life.py

.PHONY: fleet-month
fleet-month: $(VENV)/.dev ## Let a thousand phones live for thirty days of virtual time while servers fail
	@NETPROV_PHONES=$${NETPROV_PHONES:-1000} NETPROV_DAYS=$${NETPROV_DAYS:-30} $(RUN)/python -m pytest --timeout 0 tests/phone/test_fleet.py

.PHONY: kill-dhcp
kill-dhcp: $(VENV)/.dev .setup/packages ## kill -9 the DHCP server 50 times under load, and look for lost leases
	@$(RUN)/python -m tests.lab.kill_dhcp 50

.PHONY: flood
flood: $(VENV)/.dev .setup/packages ## Boot 50 phones while strangers send 50,000 datagrams a second and open connections everywhere
	@NETPROV_FLOOD=$${NETPROV_FLOOD:-50000} $(RUN)/python -m pytest --timeout 0 -s tests/lab/test_flood.py $(ARGS)

.PHONY: attack
attack: $(VENV)/.dev .setup/packages ## Attack a LAN at 50,000 packets a second while 200 phones boot and renew (an hour; ATTACK=600 for less)
	@$(RUN)/python -m tests.hostile.attack $${ATTACK:-3600}

.PHONY: change
change: $(VENV)/.dev .setup/packages ## Change a running site 200 times at random, and compare with a fresh one each time (long)
	@$(RUN)/python -m tests.change 200

.PHONY: pairs
pairs: $(VENV)/.dev ## Compare what `netprov plan` says of 200 pairs of inventories with what clients then see (2 min)
	@NETPROV_PAIRS=$${NETPROV_PAIRS:-200} $(RUN)/python -m pytest --timeout 0 tests/diff $(ARGS)

bench-%: $(VENV)/.dev .setup/packages ## Measure one part side by side with its peers: dhcp dns check provision phone start
	@$(RUN)/python -m tests.bench.$*

$(VENV)/.run: requirements.lock requirements-build.lock pyproject.toml
	@.ci/setup python "$(PYTHON)" "$(VENV)" run
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.lock
	@.ci/setup python "$(PYTHON)" "$(VENV)" dev
	@touch $@

.setup/packages: tests/lab/packages.txt
	@.ci/setup packages $<
	@mkdir -p .setup && touch $@

.setup/pips/.all: tests/setup/pips.lock $(VENV)/.dev
	@.ci/setup pips "$(VENV)" $< $(@D)

.PHONY: wheel
wheel: $(VENV)/.run ## Build dist/netprov-*.whl, to install where a production machine wants it
	@PYTHONPATH=$(abspath $(VENV))/build-tools $(RUN)/python -m pip wheel --quiet --no-deps --no-build-isolation \
	    --no-index --wheel-dir dist .
	@ls dist/netprov-*.whl

.PHONY: bundle
bundle: $(VENV)/.run ## Build dist/netprov-*.tar: install.sh and all wheels, for a machine without a network
	@bundle/build $(VENV)

.PHONY: deb
deb: $(VENV)/.run ## Build dist/netprov_*.deb, for Debian machines with the Python of this one (DEB_VERSION= names another version)
	@deb/build $(VENV)

.PHONY: lock
lock: $(VENV)/.run ## Renew the locks from pyproject.toml (needs uv); UPGRADE= keeps the versions that still fit
	@.ci/lock $(RUN)/python $(UPGRADE)

.PHONY: clean
clean: ## Remove the virtual environment and every cache
	@rm -rf $(VENV) $(VENV).before .setup .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage dist
