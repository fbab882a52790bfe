# `make run` shows the workbench at work, `make test` tests it; `make help` lists the rest.
# Everything is installed into .venv, which any other target makes when it is missing or out of date.

PYTHON ?=
PORT ?=
SHOP := demo-shop
export PYTHON

.PHONY: help setup run test test-long test-engines test-sampling browser lint bench bench-pages calibrate lab requirements texts pictures constraints clean
.DEFAULT_GOAL := help

help:
	@echo "make run           a demo shop: its findings, then its pages on this machine (PORT=8080 picks the port)"
	@echo "make test          all tests but the three kinds below, with a Chromium (installed if none is found)"
	@echo "make test-long     what ends in the middle (networks, servers, loads), JupyterLab, large files"
	@echo "make test-engines  the same questions to a real PostgreSQL and a real Spark cluster (installed if not there)"
	@echo "make test-sampling models held against samplers, and against many simulated customers"
	@echo "make browser       the path of the Chromium that the tests use, installed if none is found"
	@echo "make setup         .venv with the pinned packages (PYTHON=/path/to/python picks the interpreter)"
	@echo "make lab           JupyterLab on the notebooks, with the demo shop"
	@echo "make lint          style, types and notebooks without outputs"
	@echo "make bench         speed and memory on large data"
	@echo "make bench-pages   published pages for 1 to 50 readers, beside stock Voilà; then a soak of SOAK minutes (10)"
	@echo "make calibrate     how often intervals hold the truth, into docs/coverage.md"
	@echo "make requirements  docs/requirements.md from the tests"
	@echo "make texts         new sentences into the Spanish catalogue"
	@echo "make pictures      docs/pictures: every screen and page in several widths, colours and languages"
	@echo "make constraints   the newest versions that go together into constraints.txt"
	@echo "make clean         removes all that the other targets made"

setup: .venv/.complete
	@:

.venv/.complete: pyproject.toml constraints.txt tools/setup.sh
	@sh tools/setup.sh

run: setup
	@.venv/bin/workbench demo $(SHOP) --replace
	@.venv/bin/workbench serve $(SHOP) --screens $(if $(PORT),--port $(PORT))

browser: setup
	@.venv/bin/python -m tools.browser

# A file of tests stays on one worker, so that what it prepares is prepared once; in the order of their names, since
# those with one long test would come last otherwise, on one worker while the other has nothing to do.
PYTEST = CHROMIUM=$$(.venv/bin/python -m tools.browser) && export CHROMIUM && \
	.venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test: setup
	@$(PYTEST) --durations 10

test-long: setup
	@$(PYTEST) -m long tests

test-engines: setup
	@.venv/bin/python -m tools.engines
	@.venv/bin/python -m pytest -m engines tests/engines

test-sampling: setup
	@.venv/bin/python -m pytest -n 2 -m sampling tests

lint: setup
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/python -m tools.notebooks

bench: setup
	.venv/bin/python -m tools.bench

bench-pages: setup
	@CHROMIUM=$$(.venv/bin/python -m tools.browser) && export CHROMIUM && \
		.venv/bin/python -m tools.bench pages && \
		.venv/bin/python -m tools.bench pages --soak $(or $(SOAK),10)

calibrate: setup
	.venv/bin/python -m tools.calibrate

# Loopback only, and nothing is asked of the network; a container's root is allowed, as there is no one else. It
# opens at the home, and its launcher has a card for each screen and lesson.
lab: setup $(SHOP)
	WORKBENCH_PROJECT="$(CURDIR)/$(SHOP)" .venv/bin/jupyter lab notebooks --ip=127.0.0.1 \
		--LabApp.default_url=/lab/tree/0-home.ipynb \
		--LabApp.extra_labextensions_path=$(CURDIR)/workbench/screens/lab/labextensions \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None \
		--LabApp.extension_manager=readonly $(if $(filter 0,$(shell id -u)),--allow-root)

$(SHOP): | setup
	.venv/bin/workbench demo $(SHOP)

requirements: setup
	.venv/bin/python -m tools.requirements

texts: setup
	.venv/bin/python -m tools.texts

pictures: setup
	@CHROMIUM=$$(.venv/bin/python -m tools.browser) && export CHROMIUM && .venv/bin/python -m tools.pictures

constraints: setup
	.venv/bin/pip install --quiet --upgrade --upgrade-strategy eager -e ".[dev]"
	@{ echo "# Exact versions of all that make setup installs; make constraints writes this file."; \
		.venv/bin/pip freeze --exclude-editable | grep -v ' @ '; } > constraints.txt
	@touch .venv/.complete

clean:
	rm -rf .venv $(SHOP) .build build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -prune -exec rm -rf {} +
	find notebooks -name .ipynb_checkpoints -prune -exec rm -rf {} +
