# Everything runs from a virtual environment of its own, made on first use. Needs make and Python 3.11 or newer.
#   make PYTHON=/path/to/python3.12 test      picks the interpreter

SHELL := /bin/sh
VENV := .venv
RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip --disable-pip-version-check --no-input -q
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-tools lint format bench fuzz clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1	\2/p' $(MAKEFILE_LIST) | expand -t 16

demo: $(READY) ## the whole product at work on loopback, in a minute; ends by itself
	@$(RUN) -m pipeline.demo

serve: $(READY) ## the app and the API over what `make demo` left, on loopback, until Ctrl-C
	@$(RUN) -m pipeline.demo.serve

# Several processes (tests/conftest.py says how many); a file's tests stay together, because they share a server.
test: $(READY) test-tools ## every test, on real parts
	@$(RUN) -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(READY) ## ruff, mypy --strict, import-linter
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m mypy
	@$(VENV)/bin/lint-imports --no-logo

format: $(READY) ## lay the code out as `make lint` wants it
	@$(RUN) -m ruff check --fix-only --select I .
	@$(RUN) -m ruff format .

bench: $(READY) ## measures speed beside pyx12, sftp and straightforward code, and writes docs/benchmarks.md
	@$(RUN) -m tests.bench

fuzz: $(READY) ## feeds damaged files to everything that reads, for some minutes
	@$(RUN) -m tests.fuzz all --runs 1000000000 --seconds 30 --seed $$(date +%s)

clean: ## removes the environment, caches and builds; never a database or settings
	rm -rf $(VENV) build dist .fuzz .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Made anew only when what it depends on changed. The candidates are tried, not only found: a name on the path
# can be a shim for nothing, and a system Python can lack venv.
$(READY): pyproject.toml .ci/constraints.txt
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
		if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
		then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
		echo "make: no Python 3.11 or newer with venv found; install one (on Debian also python3-venv)," \
			"or name it: make PYTHON=/path/to/python" >&2; exit 1; \
	fi; \
	echo "making $(VENV) with $$($$found --version)" >&2; \
	$$found -m venv --clear $(VENV)
	@$(PIP) install -c .ci/constraints.txt -e '.[serve,test,lint,demo]'
	@touch $@

# The tests talk to a real OpenSSH and a real PostgreSQL, which they start themselves, look at the app in a real
# Chromium, and stop programs at single system calls. Where these are absent and may not be installed the tests skip and say so (CI fails instead). A
# booted machine is left alone: the packages would start services there. PostgreSQL's would also make a database
# cluster and start it, unless postgresql-common is told not to before.
NO_CLUSTER := /etc/postgresql-common/createcluster.conf

test-tools:
	@PATH="$$PATH:/usr/sbin:/sbin"; export DEBIAN_FRONTEND=noninteractive; missing=""; \
	command -v sshd >/dev/null 2>&1 || missing="$$missing openssh-server"; \
	command -v strace >/dev/null 2>&1 || missing="$$missing strace"; \
	command -v chromium >/dev/null 2>&1 || command -v google-chrome >/dev/null 2>&1 \
		|| missing="$$missing chromium"; \
	command -v postgres >/dev/null 2>&1 || ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 \
		|| missing="$$missing postgresql-common postgresql"; \
	if [ -n "$$missing" ] && command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ] \
		&& { [ "$$CI" = true ] || [ ! -d /run/systemd/system ]; }; then \
		echo "installing$$missing for the tests" >&2; \
		install() { apt-get install -qq -y --no-install-recommends "$$1" >/dev/null 2>&1; }; \
		for package in $$missing; do \
			install $$package || { apt-get update -qq >/dev/null 2>&1 && install $$package; } \
				|| echo "$$package could not be installed" >&2; \
			if [ $$package = postgresql-common ] && [ -e $(NO_CLUSTER) ]; then \
				sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' $(NO_CLUSTER); \
			fi; \
		done; \
	fi
