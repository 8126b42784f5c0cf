# Works on a fresh machine with python3.11, git and make. Each target installs what it needs into .venv, once.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
PACKAGING := setup.cfg pyproject.toml constraints.txt
ROOMS := $(shell sed -n 's/^ *framecast\.[a-z]* = \([a-z]*\)$$/\1/p' setup.cfg)

.PHONY: default demo test test-all lint types bench docs default-bundle
default: lint test

demo: .venv/run.stamp
	$(BIN)/python -m framecast demo --out demo

test: .venv/dev.stamp
	$(BIN)/python -m pytest

test-all: .venv/dev.stamp
	$(BIN)/python -m pytest -m "slow or not slow"

lint: .venv/dev.stamp types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Type checkers do not follow the mapping of setup.cfg, so they get a folder where each room lies inside `framecast`.
types: .venv/dev.stamp
	rm -rf .links && mkdir -p .links/framecast
	ln -s $(addprefix ../../,$(wildcard framecast/*.py) $(ROOMS)) .links/framecast/
	$(BIN)/mypy .links/framecast

bench: .venv/bench.stamp
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.streaming --latent_frames 5000

docs: .venv/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# The recipe of the bundle in the package: hours on a CPU.
default-bundle: .venv/run.stamp
	$(BIN)/python -m framecast train fit --config train/configs/sprites_tokenizer.yaml
	$(BIN)/python -m framecast train fit --config train/configs/sprites_lm.yaml
	$(BIN)/python -m framecast train fit --config train/configs/sprites_lm_long.yaml
	rm -rf sample/default
	cp -r runs/sprites_lm_long/bundle sample/default

# pip first: the one that comes with an older Python takes twice as long for the rest.
.venv/run.stamp: $(PACKAGING)
	$(PYTHON) -m venv .venv
	$(PIP) pip setuptools
	$(PIP) torch
	$(PIP) --no-build-isolation --editable .
	touch $@

.venv/dev.stamp: .venv/run.stamp
	$(PIP) --no-build-isolation --editable '.[dev]'
	touch $@

.venv/bench.stamp: .venv/run.stamp
	$(PIP) --no-build-isolation --editable '.[bench]'
	touch $@

.venv/docs.stamp: .venv/run.stamp
	$(PIP) --no-build-isolation --editable '.[docs]'
	touch $@
