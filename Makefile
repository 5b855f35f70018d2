# The two commands: `make run` and `make test`. `make run GPU=1` uses the official vLLM on an NVIDIA GPU.
PYTHON ?= $(or $(shell command -v python3.11),python3)
ENGINE := $(if $(GPU),gpu,cpu)
BIN := .venv/bin
# Test processes, each with a PostgreSQL and a Valkey of its own; one of them gets all tests of the real engine.
WORKERS ?= 3
# Where the pictures of `make tour` go.
TOUR ?= var/tour
export PYTHONUNBUFFERED = 1

.DEFAULT_GOAL := help
.PHONY: help env browser run check test lint format bench bench-load bench-answers tour clean

help:
	@echo "make run     install, start everything, print the addresses (PORT=8000, GLASSDESK_DATA=./var, GPU=1)"
	@echo "make test    install, check the code, run all tests"
	@echo "make check   lint and the fast tests, for every day"
	@echo "make lint    check style, types, imports, templates and migrations"
	@echo "make format  bring the code into shape"
	@echo "make bench   measure the product beside the bare engine and a naive server (bench/results/)"
	@echo "make bench-load   500 idle and 50 asking customers on one web process"
	@echo "make bench-answers   how good the answers are, and what the reranker costs"
	@echo "make tour    pictures of every page, both languages, light and dark, wide and narrow (TOUR=var/tour)"
	@echo "make env     only install (into a shared folder; .venv links to it)"
	@echo "make clean   remove what the commands left in this checkout, except the data folder"

env:
	@$(PYTHON) requirements/install.py --engine $(ENGINE)

browser:
	@$(PYTHON) requirements/install.py --engine $(ENGINE) --browser

run: env
	@exec $(BIN)/python manage.py up

check: lint
	@exec $(BIN)/python -m pytest --numprocesses 2 -q tests/unit tests/test_architecture.py tests/test_documented_codes.py $(ARGS)

test: browser lint
	@exec $(BIN)/python -m pytest --numprocesses $(WORKERS) --no-loadscope-reorder $(ARGS)

lint: env
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy .
	@$(BIN)/lint-imports
	@$(BIN)/djlint --check --quiet templates
	@$(BIN)/djlint --lint --quiet templates
	@DATABASE_URL=none: $(BIN)/python manage.py makemigrations --check --dry-run --skip-checks

format: env
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/djlint --reformat --quiet templates

bench: env
	@$(BIN)/python -m bench.engine $(ARGS)

bench-load: env
	@$(BIN)/python -m bench.load $(ARGS)

bench-answers: env
	@$(BIN)/python -m bench.answers $(ARGS)

tour: browser
	@$(BIN)/python -m tests.tour $(TOUR)

clean:
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -path ./var -prune -o \( -name __pycache__ -o -name '*.mo' \) -print0 | xargs -0 rm -rf
