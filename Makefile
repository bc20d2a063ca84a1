# What a newcomer runs. `make help` lists it.
PYTHON ?= python3
BIN := .venv/bin
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv

.DEFAULT_GOAL := help
.PHONY: help up install test lint format lock example schemas screenshots pictures

help: ## list these commands
	@sed -nE 's/^([a-z]+):.*## (.*)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

up: install ## bring up the base on http://127.0.0.1:8000
	@$(BIN)/ulab up

install: ## build the environment alone, in .venv
	@$(PYTHON) deploy/install.py

test: ## check style, types and floors, then run every test
	@$(PYTHON) deploy/install.py --for-tests
	@$(MAKE) --no-print-directory lint
	@$(BIN)/python -m pytest --quiet --numprocesses=logical --dist=loadfile --no-loadscope-reorder

lint: ## check style, types and floors
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/lint-imports --no-logo >.cache/lint-imports.log || { cat .cache/lint-imports.log; exit 1; }

format: ## put the code into the common style
	@$(BIN)/ruff check --quiet --fix .
	@$(BIN)/ruff format --quiet .

example: ## write ulab.example.toml anew from the settings
	@$(BIN)/python -m ulab_deploy.example

schemas: ## write the schemas of lab.yaml and its kin anew, which editors complete by
	@$(BIN)/python -m ulab_curricula.schemas

screenshots: ## take the pictures of the README anew
	@cd tests && ../$(BIN)/python -m browser.screenshots

pictures: ## run the labs and take the pictures of docs/guide anew; LABS="garments …", or LABS=--kept for the last run's
	@cd tests && ../$(BIN)/python -m guide_pictures $(LABS)

# The lock holds every platform's hashes and names no registry, so any mirror may serve it.
COMPILE = .cache/uv-tool/bin/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url
lock: export UV_CUSTOM_COMPILE_COMMAND = make lock
lock: ## resolve pyproject.toml into deploy/*.lock; UPGRADE=--upgrade takes newer versions
	@$(PYTHON) deploy/install.py --uv-only
	@$(COMPILE) $(UPGRADE) deploy/bootstrap.in -o deploy/bootstrap.lock
	@$(COMPILE) $(UPGRADE) --group dev pyproject.toml -o deploy/requirements.lock
	@$(COMPILE) $(UPGRADE) deploy/s3.in -o deploy/s3.lock
	@$(COMPILE) $(UPGRADE) deploy/s3-tests.in -o deploy/s3-tests.lock
