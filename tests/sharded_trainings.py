"""Trainings of a tiny video LM whose weights are split over two processes on this machine, for tests.

Run as `python sharded_trainings.py FOLDER RUN...`, it is one of the two processes, and does the named runs one after the other.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import lightning as L
import torch
from lm_trainings import CONFIG
from torch import distributed as dist

from framecast.train.cli import main
from framecast.train.sharding.tensors import local

CLIPS = 4
"""In a step, of all processes."""
STEADY = (  # nothing is drawn at random, so that one process and two see the same
    "--model.init_args.corruption=0",
    "--model.init_args.prompt_dropout=0",
    "--model.init_args.gap_probability=0",
    "--model.init_args.blocks.token=0",
    "--model.init_args.blocks.frame=0",
)
ANY = ("--model.init_args.lm.embedding_skip=true", "--model.init_args.lm.value_embeddings=true")
MUON = ("--model.init_args.muon.row_scaling=true",)
SUMMED = ("--trainer.accumulate_grad_batches=2", "--trainer.gradient_clip_val=0.1")
LOW = ("--trainer.precision=bf16-mixed", "--model.init_args.activation_checkpointing=true")

RUNS: dict[str, tuple[str, ...]] = {
    "whole": (*STEADY, *ANY, "--trainer.max_steps=4"),
    "drawn": ("--trainer.max_steps=4",),
    "parts": ("--trainer.max_steps=2",),
    "parts again": ("--trainer.max_steps=4", "--ckpt_path=last"),
    "other": (*STEADY, *ANY, "--trainer.max_steps=2"),
    "other again": (*STEADY, *ANY, "--trainer.max_steps=4", "--ckpt_path=last"),
    "muon": (*STEADY, *MUON, "--trainer.max_steps=3"),
    "summed": (*STEADY, *MUON, *SUMMED, "--trainer.max_steps=2"),
    "low": (*STEADY, *LOW, "--trainer.max_steps=2"),
    "begun": (*STEADY, *ANY, "--trainer.max_steps=1"),
    "stopped": ("--trainer.max_steps=4",),
    "broken": ("--trainer.max_steps=4",),
    "killed": ("--trainer.max_steps=4",),
}
"""What each run is told; its folder is the first word of its name."""


class Losses(L.Callback):
    """Writes the mean loss of each step over all processes, and the norm of its gradient, to `losses.json`."""

    def __init__(self) -> None:
        self.losses: list[tuple[float, float]] = []

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        loss = outputs["loss"].detach().clone()
        if trainer.world_size > 1:
            dist.all_reduce(loss)
        norm = float(trainer.callback_metrics.get("train/gradient_norm", 0.0))  # there is none before the first step is whole
        self.losses.append((float(loss) / trainer.world_size, norm))

    def on_train_end(self, trainer, pl_module):
        if trainer.is_global_zero:
            Path(trainer.default_root_dir, "losses.json").write_text(json.dumps(self.losses))


class InProcess1(L.Callback):
    """Something happens to process 1 before its second step."""

    def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
        if batch_idx == 1 and trainer.global_rank == 1:
            self.happen(pl_module)


class Killed(InProcess1):
    """It dies."""

    def happen(self, pl_module):
        os.kill(os.getpid(), signal.SIGKILL)


class Stopped(InProcess1):
    """It is told to stop by Ctrl-C, at the end of its step."""

    def happen(self, pl_module):
        os.kill(os.getpid(), signal.SIGINT)


class Broken(InProcess1):
    """One of the weights that it holds is no number."""

    def happen(self, pl_module):
        local(pl_module.network.norm.weight)[0] = torch.nan


def train(root: Path, name: str, processes: int, *options: str) -> None:
    """One run of `RUNS`, in this process: `root/one/NAME` if it is the only one, and `root/two/NAME` of two."""
    folder = Path("one" if processes == 1 else "two", name.split()[0])
    begun = root / "one" / "whole" / "bundle"
    tokenizer = begun if name == "begun" else root / "tokenizer"
    init = (f"--model.init_args.init_from={begun}",) if name == "begun" else ()
    own = name.capitalize() if name in ("killed", "stopped", "broken") else "Losses"
    words = [
        *("fit", "--allow", "sharded_trainings", "--config", str(CONFIG)),
        *(f"--trainer.default_root_dir={root / folder}", f"--trainer.callbacks=sharded_trainings.{own}"),
        *(f"--data.init_args.tokenizer={tokenizer}", f"--data.init_args.shards={root / f'shards_{tokenizer.name}'}", *init),
        *(f"--data.init_args.batch_size={CLIPS // processes}", "--trainer.accelerator=cpu", "--trainer.precision=32-true"),
        *("--trainer.val_check_interval=2", "--trainer.log_every_n_steps=1", "--trainer.logger=false"),
        *("--samples.num_continuations=1", "--samples.num_prompts=0", "--trainer.enable_progress_bar=false"),
        *RUNS[name],
        *options,
    ]
    main(words)


def both(root: Path, *names: str) -> list[subprocess.Popen[str]]:
    """Starts the two processes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "NODE_RANK": "0", "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    tests = Path(__file__).parent
    path = {"PYTHONPATH": os.pathsep.join([str(tests.parent), str(tests)])}
    command = [sys.executable, __file__, str(root), *names]
    return [
        subprocess.Popen(
            command,
            env={**os.environ, **place, **path, "LOCAL_RANK": str(rank)},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        for rank in range(2)
    ]


if __name__ == "__main__":
    torch.set_num_threads(1)
    for run in sys.argv[2:]:
        try:
            train(Path(sys.argv[1]), run, 2, "--trainer.devices=2", "--trainer.strategy=sharded")
        except SystemExit as end:
            print(f"{run} ended with {end.code}", flush=True)
