"""One training that is built once, and put before hostile checkpoints and settings again and again."""

import io
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import lightning as L

from framecast.train import ExportBundle
from framecast.train.allowed import check_no_functions
from framecast.train.cli import TrainCLI
from framecast.train.config_text import bounded_reading
from framecast.train.restoring import naming_misfits

from .hostile_settings import CONFIG

QUIET = ("--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false", "--trainer.logger=false")


class Trial(TrainCLI):
    """A training of `tiny_tokenizer.yaml` that is ready and has not begun."""

    def __init__(self, folder: Path, steps: int = 2):
        options = [f"--trainer.default_root_dir={folder}", f"--trainer.max_steps={steps}", "--trainer.val_check_interval=1"]
        super().__init__(["fit", "--config", str(CONFIG), *QUIET, *options])

    def _instantiate_trainer(self, config: dict[str, Any], callbacks: list[L.Callback]) -> L.Trainer:
        """The trainer, without an export at its end."""
        return super()._instantiate_trainer(
            config, [callback for callback in callbacks if not isinstance(callback, ExportBundle)]
        )

    def _run_subcommand(self, subcommand: str) -> None:
        """Does not run it yet."""

    def resume(self, path: Path) -> int:
        """As `framecast train fit --ckpt_path PATH` does; the step where it ended."""
        trainer = self.instantiate_trainer()
        with naming_misfits(trainer), redirect_stdout(io.StringIO()):
            trainer.fit(self.model, self.datamodule, ckpt_path=path)
        return trainer.global_step

    def parse(self, options: list[str]) -> Any:
        """As `framecast train fit --config CONFIG OPTIONS` reads its options."""
        with bounded_reading():
            config = self.parser.parse_args(["fit", "--config", str(CONFIG), *options])
        check_no_functions(config)
        return config
