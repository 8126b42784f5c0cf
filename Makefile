# Works on a fresh machine with python3.11, git and make. Each target installs what it needs into .venv, once.
PYTHON ?= python3.11
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --no-compile --disable-pip-version-check --constraint constraints.txt
PACKAGING := setup.cfg pyproject.toml constraints.txt
ROOMS := $(shell sed -n 's/^ *framecast\.[a-z]* = \([a-z]*\)$$/\1/p' setup.cfg)

.PHONY: default demo notebook serve test test-all lint types bench reliability docs evaluate default-bundle world play speedrun ablations
default: lint test

demo: .venv/run.stamp
	$(BIN)/python -m framecast demo --out demo

# The notebook in the browser; the package is the clone itself, so an edit is there after a restart of the kernel.
notebook: .venv/notebook.stamp
	$(BIN)/jupyter lab docs/notebook.ipynb

# The page at http://127.0.0.1:8000.
serve: .venv/serve.stamp
	$(BIN)/python -m framecast serve

# The page at http://127.0.0.1:8000, where keys drive the world that comes with the package.
play: .venv/serve.stamp
	$(BIN)/python -m framecast play

# Two processes with one thread each, since threads of several processes get in each other's way. The tests of a file stay together:
# they share what they train.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

test: .venv/dev.stamp
	$(PYTEST)

test-all: .venv/dev.stamp .venv/docs.stamp
	$(PYTEST) -m "slow or not slow"

lint: .venv/dev.stamp types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

# Type checkers do not follow the mapping of setup.cfg, so they get a folder where each room lies inside `framecast`.
types: .venv/dev.stamp
	rm -rf .links && mkdir -p .links/framecast
	ln -s $(addprefix ../../,$(wildcard framecast/*.py framecast/*.pyi) framecast/commands $(ROOMS) benchmarks) .links/framecast/
	@echo "Checking types: one to three minutes if nothing is cached."
	$(BIN)/mypy .links/framecast
	$(BIN)/mypy --strict --follow-imports=silent --cache-dir .mypy_cache/strict $(addprefix .links/framecast/,model tokenizer sample)

bench: .venv/bench.stamp
	$(BIN)/python -m framecast bench
	$(BIN)/python -m benchmarks.streaming --latent_frames 5000
	$(BIN)/python -m benchmarks.jacobi
	$(BIN)/python -m benchmarks.windows
	$(BIN)/python -m benchmarks.serving
	$(BIN)/python -m benchmarks.profiles

# Hostile files, kills, signals, failures: docs/reliability.md. Some ten minutes on two free cores.
reliability: .venv/dev.stamp
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.reliability

# The API reference imports all that is public, so it needs the extras of the server and of the evaluation.
docs: .venv/docs.stamp
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

# Measures the shipped model: report/index.html.
evaluate: .venv/evaluate.stamp
	$(BIN)/python -m framecast evaluate --out report

# The recipe of the bundle in the package, from nothing: about eight hours on two cores, an estimate from its parts. A run that was stopped
# goes on, one that is done is not run again; `rm -r runs/sprites_*` begins anew.
default-bundle: runs/sprites_lm_long/bundle
	rm -rf sample/default
	cp -r $< sample/default

# The recipe of the world in the package, from nothing: an environment is recorded, then two networks are trained.
world: runs/world_lm/bundle runs/held_out.stamp
	$(BIN)/python -m framecast export runs/world_lm/checkpoints/last.ckpt --out sample/world --title "Car racing" --licence MIT \
	  --card "Trained on pictures of CarRacing-v3 of [Gymnasium](https://gymnasium.farama.org), which is under the MIT licence." \
	  --starts "start line=runs/held_out/episode_00000.mkv" "hairpin=runs/held_out/episode_00002.mkv@5.6" \
	  "left bend=runs/held_out/episode_00001.mkv@14.5" "right bend=runs/held_out/episode_00003.mkv@10.8" \
	  "two bends=runs/held_out/episode_00007.mkv@12.2" "two roads=runs/held_out/episode_00011.mkv@14.8"

runs/recording.stamp: RECORDED = --policy driver --minutes 300
runs/held_out.stamp: RECORDED = --policy weaver --minutes 12 --seed 1000
runs/recording.stamp runs/held_out.stamp: | .venv/worlds.stamp
	$(BIN)/python -m framecast record CarRacing-v3 $(RECORDED) --lossless --out $(basename $@)
	touch $@

runs/world_tokenizer/bundle: runs/recording.stamp
runs/world_lm/bundle: runs/world_tokenizer/bundle
runs/sprites_lm/bundle: runs/sprites_tokenizer/bundle
runs/sprites_lm_images/bundle: runs/sprites_lm/bundle
runs/sprites_lm_long/bundle: runs/sprites_lm_images/bundle
runs/speedrun_lm/bundle: runs/speedrun_tokenizer/bundle

runs/%/bundle: | .venv/run.stamp
	$(BIN)/python -m framecast train fit --config train/configs/$*.yaml $(if $(wildcard runs/$*/checkpoints/last.ckpt),--ckpt_path last)

# What the video LM learns by one recipe and another, with three seeds: the table of docs/ablations.md. Some hours on two cores; a run
# that was stopped goes on.
ablations: runs/speedrun_tokenizer/bundle .venv/evaluate.stamp
	$(BIN)/python -m benchmarks.learning --out runs/learning.json

# From nothing to a small text-to-video model, and what it can do: docs/speedrun.md.
speedrun: .venv/evaluate.stamp
	rm -rf runs/speedrun_*
	date +%s > .venv/speedrun.start
	$(MAKE) runs/speedrun_lm/bundle
	echo "trained in $$(( $$(date +%s) - $$(cat .venv/speedrun.start) )) seconds"
	$(BIN)/python -m framecast evaluate runs/speedrun_lm/bundle --only control --clips 256 --out runs/speedrun_lm/report

# pip first: the one that comes with an older Python takes twice as long for the rest.
.venv/run.stamp: $(PACKAGING)
	@echo "Installing PyTorch and framecast into .venv, once: usually two to ten minutes, most of it the download of PyTorch."
	$(PYTHON) -m venv .venv
	$(PIP) pip setuptools
	$(PIP) torch
	$(PIP) --no-build-isolation --editable .
	touch $@

# A set of extras, such as .venv/serve.stamp for the extra `serve`.
.venv/%.stamp: .venv/run.stamp
	@echo "Installing what [$(EXTRAS)] needs into .venv, once: usually one to three minutes."
	$(PIP) --no-build-isolation --editable '.[$(EXTRAS)]'
	touch $@

.venv/bench.stamp: EXTRAS = bench,serve
.venv/notebook.stamp: EXTRAS = notebook,lab
.venv/docs.stamp: EXTRAS = docs,serve,evaluate,worlds
.venv/dev.stamp .venv/evaluate.stamp .venv/serve.stamp .venv/worlds.stamp: EXTRAS = $(basename $(@F))
