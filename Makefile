PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ENGINE ?= docker
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' hardener/__init__.py)
IMAGE ?= localhost/hardener:$(VERSION)
OCI := org.opencontainers.image
PY_SPY := 0.4.3
LOCK := uv pip compile --universal --python-version 3.11 --generate-hashes --quiet --upgrade --custom-compile-command "make lock"
# What does not depend on the version of the API server, or shows itself on any.
ON_NEWEST_ONLY := test_self_managed test_trial test_failures test_chart_upgrades test_cluster_facts test_control_plane test_exemptions \
	test_chart_roll_out test_certificate_files test_scan test_preview_live test_explain_templates
# The node's tests come first and take longest; a worker has a control plane of its own.
E2E := $(BIN)/python -m pytest tests/e2e -n 2 --dist loadscope --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help venv demo cluster test chart browser e2e check format generate baseline bench bench-check profile image lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(STAMP) ## Make the virtual environment with everything that development needs

$(STAMP): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("hardener needs Python 3.11 or newer, this is %s; name another with: make PYTHON=python3.12" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(STAMP) ## Harden six real pods through a real TLS webhook, and say why
	$(BIN)/hardener demo

cluster: $(STAMP) ## Start a Kubernetes with the webhook registered, until Ctrl-C; NODE=1 for one on which pods run
	@$(BIN)/python -m tests.e2e.trial $(if $(NODE),--node)

test: $(STAMP) ## Run all tests but those that need a Kubernetes
	$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

chart: $(STAMP) ## Check the chart, install.yaml, alerts and dashboard with Helm and promtool, which are built at first
	$(BIN)/python -m pytest tests/deploy -n auto $(ARGS)

browser: $(STAMP) ## Open the report of `hardener scan` in a real Chromium
	$(BIN)/python -m pytest tests/browser $(ARGS)

e2e: $(STAMP) ## Run the tests on a real Kubernetes, the newest one with a node and the oldest one that is supported
	$(E2E) $(ARGS)
	$(E2E) $(ARGS) --no-node --kubernetes-version oldest $(ON_NEWEST_ONLY:%=--ignore=tests/e2e/%.py)

check: $(STAMP) ## Check format, lint, types and layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code and mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

generate: $(STAMP) ## Write what is derived from the code: the config schema, the pages, the results of the examples, install.yaml
	$(BIN)/hardener config schema > config/schema.json.new && mv config/schema.json.new config/schema.json
	$(BIN)/hardener controls -o markdown > docs/controls.md.new && mv docs/controls.md.new docs/controls.md
	$(BIN)/hardener config schema -o markdown > docs/config.md.new && mv docs/config.md.new docs/config.md
	$(BIN)/hardener help -o markdown > docs/cli.md.new && mv docs/cli.md.new docs/cli.md
	$(BIN)/hardener metrics -o markdown > docs/metrics.md.new && mv docs/metrics.md.new docs/metrics.md
	$(BIN)/python -m tests.transcripts
	$(BIN)/python -m tests.deploy.chart

baseline: $(STAMP) ## Write the hardening rates of the manifest corpus that the tests compare with
	$(BIN)/python -m tests.corpus.baseline

bench: $(STAMP) ## Measure everything and write docs/performance.md, in 5 minutes; LONG=1 for more rounds and requests
	$(BIN)/python -m benchmarks write $(if $(LONG),--long)

bench-check: $(STAMP) ## Measure, and fail where a goal is missed by more than the noise; LAST=1 judges the last run
	$(BIN)/python -m benchmarks check $(if $(LONG),--long) $(if $(LAST),--last)

profile: $(STAMP) ## Make a flame graph of the server under load, with py-spy, which is installed at first
	test -x $(BIN)/py-spy || $(BIN)/python -m pip install --quiet --disable-pip-version-check py-spy==$(PY_SPY)
	$(BIN)/python -m benchmarks.flame

image: ## Build the image IMAGE with docker, or ENGINE=podman; BASE=... names what it is built on, best with a digest
	$(ENGINE) build --tag $(IMAGE) --label $(OCI).version=$(VERSION) \
		--label $(OCI).revision=$(shell git rev-parse HEAD) $(if $(BASE),--build-arg BASE=$(BASE)) .

lock: ## Write requirements/ anew from pyproject.toml (needs uv)
	$(LOCK) --group dev pyproject.toml --output-file requirements/dev.txt
	$(LOCK) --constraint requirements/dev.txt pyproject.toml --output-file requirements/run.txt
	$(LOCK) --constraint requirements/dev.txt --group build --output-file requirements/build.txt
	$(LOCK) --constraint requirements/dev.txt --group sbom --output-file requirements/sbom.txt

clean: ## Remove what the other targets made
	rm -rf $(VENV) dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
