"""`framecast train`: LightningCLI with the callbacks, the checkpoints and the defaults of this project."""

import sys
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import lightning as L
from jsonargparse import set_parsing_settings
from lightning.pytorch.callbacks import LearningRateMonitor, RichProgressBar
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI
from lightning.pytorch.utilities.exceptions import MisconfigurationException
from lightning.pytorch.utilities.rank_zero import rank_zero_info

from ..data.loading import LoaderError
from .allowed import allow_only, check_no_functions, explain_refusal, split_allowed
from .checkpointing import Checkpointing
from .checkpoints import CheckpointError, Precision, precision_of
from .clip_data import ResumableDataModule
from .config_text import bounded_reading, use_bounded_loader
from .ema import EMA
from .export import ExportBundle
from .health import CodebookCollapse, CodebookGuard
from .heartbeat import Heartbeat
from .memory import keep_freed_memory
from .mistakes import explain
from .module import TrainingModule
from .pictures import Reconstructions
from .progress import ProgressBar, ProgressLines
from .quiet import hush
from .renamed import with_new_arguments
from .restoring import check_ckpt_path, check_strategy, naming_misfits
from .rewards import PolicyCollapse, RewardError
from .samples import Samples
from .shipped import with_shipped_configs
from .stopping import Stopped, StopSignals
from .throughput import Throughput
from .trainer import Trainer

TRAINER_DEFAULTS: dict[str, Any] = {
    "default_root_dir": "runs/train",
    "max_steps": 10_000,
    "gradient_clip_val": 1.0,
    "val_check_interval": 500,
    "check_val_every_n_epoch": None,  # there are no epochs: training data never end
    "num_sanity_val_steps": 1,
    "enable_model_summary": False,  # one line says how large the network is
    "use_distributed_sampler": False,  # the sampler knows its rank
}
"""What a configuration need not say."""

_CALLBACKS: dict[str, type[L.Callback]] = {
    "progress": ProgressBar,
    "progress_lines": ProgressLines,
    "learning_rate": LearningRateMonitor,
    "ema": EMA,
    "codebook_guard": CodebookGuard,
    "throughput": Throughput,
    "reconstructions": Reconstructions,
    "samples": Samples,
    "export": ExportBundle,
    "checkpointing": Checkpointing,
}
"""Always there, each with its options under its name; a configuration's own `trainer.callbacks` come on top."""


_PROG = "framecast train"
_DESCRIPTION = "Train a tokenizer or a video LM. `--allow MODULE` lets configurations name classes of that module, too."


class TrainParser(LightningArgumentParser):
    """A parser whose errors are ValueErrors of one line, as all others are."""

    words: ClassVar[list[str]] = []
    """What is parsed; errors look up what was meant."""

    def error(self, message: str, ex: Exception | None = None) -> NoReturn:
        command = self.prog.replace(" [options]", "")
        if not command.startswith(_PROG):  # one of the parsers within, for a class; the outer one explains
            raise ValueError(explain_refusal(message) or " ".join(message.split())) from ex
        raise ValueError(explain(message, self.words, list(self._option_string_actions), command)) from ex


class TrainCLI(LightningCLI):
    """LightningCLI for the trainings of this project: any `TrainingModule` on any `ResumableDataModule`."""

    def __init__(self, args: list[str] | None = None, signals: StopSignals | None = None, heartbeat: Heartbeat | None = None):
        self.signals, self.heartbeat = signals or StopSignals(), heartbeat or Heartbeat()
        args, modules = split_allowed(with_shipped_configs(sys.argv[1:] if args is None else args))
        args = with_new_arguments(args)
        allow_only(modules)
        use_bounded_loader()
        set_parsing_settings(docstring_parse_attribute_docstrings=True)
        super().__init__(
            TrainingModule,
            ResumableDataModule,
            trainer_class=Trainer,
            subclass_mode_model=True,
            subclass_mode_data=True,
            trainer_defaults=TRAINER_DEFAULTS,
            seed_everything_default=0,
            save_config_kwargs={"overwrite": True},
            parser_kwargs={"prog": _PROG, "description": _DESCRIPTION},
            parser_class=TrainParser,
            load_from_checkpoint_support=False,
            args=args,
        )

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        for name, callback in _CALLBACKS.items():
            parser.add_lightning_class_args(callback, name)
        parser.link_arguments(
            "trainer.default_root_dir",
            "checkpointing.dirpath",
            compute_fn=lambda root: str(Path(root or ".", "checkpoints")),
        )
        parser.set_defaults({"progress.refresh_rate": 10})

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        TrainParser.words = list(args or [])
        with bounded_reading():
            self.config = parser.parse_args(args)
        check_no_functions(self.config)

    def _parse_ckpt_path(self) -> None:
        """Lightning would load the file here, and have it say which class to build; nothing of ours needs that."""
        path = self.config[self.config.subcommand].ckpt_path
        check_ckpt_path(path)
        if path == "last" and self._last_checkpoint() is None:
            raise ValueError(
                f"got `--ckpt_path last`, and no checkpoint in {self._checkpoints}; wanted one to go on from; check "
                "`--trainer.default_root_dir`, or start anew without `--ckpt_path`"
            )

    @staticmethod
    def subcommands() -> dict[str, set[str]]:
        """Without `--weights_only`: checkpoints are never read in another way."""
        return {name: {*skipped, "weights_only"} for name, skipped in LightningCLI.subcommands().items()}

    def _run_subcommand(self, subcommand: str) -> None:
        if self.config[subcommand].ckpt_path is not None:
            check_strategy(self.trainer.strategy)
        with naming_misfits(self.trainer):
            super()._run_subcommand(subcommand)

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """The trainer, with one epoch as long as the run, so that the bar shows what is left."""
        config = self._get(self.config_init, "trainer")
        if config.limit_train_batches is None and config.max_steps > 0:
            kwargs["limit_train_batches"] = batches = config.max_steps * config.accumulate_grad_batches
            if isinstance(config.val_check_interval, int):
                kwargs["val_check_interval"] = min(config.val_check_interval, batches)  # one validation at least
        kept = self._kept_precision() if config.precision == "auto" else None
        if kept is not None:
            rank_zero_info(f"precision: {kept}, as the run has had so far")
            kwargs["precision"] = kept
        trainer = super().instantiate_trainer(**kwargs)
        for callback in trainer.callbacks:
            if isinstance(callback, Checkpointing):
                callback.signals = self.signals
            if isinstance(callback, ProgressLines):
                callback.heartbeat = self.heartbeat
        return trainer

    def _kept_precision(self) -> Precision | None:
        """The precision of the checkpoint from which the run goes on; another one would not give the same weights."""
        path = self.config[self.config.subcommand].get("ckpt_path")
        found = self._last_checkpoint() if path == "last" else path and Path(path)
        return precision_of(found) if found else None

    def _last_checkpoint(self) -> Path | None:
        """The one that `--ckpt_path last` means."""
        return max(self._checkpoints.glob("last*.ckpt"), key=lambda path: path.stat().st_mtime, default=None)

    @property
    def _checkpoints(self) -> Path:
        return Path(self.config[self.config.subcommand].trainer.default_root_dir or ".", "checkpoints")

    def _instantiate_trainer(self, config: dict[str, Any], callbacks: list[L.Callback]) -> L.Trainer:
        """Leaves out what a configuration has turned off; Lightning would call it a contradiction."""
        unwanted: list[type[L.Callback]] = []
        if config["enable_progress_bar"] is False:
            unwanted.append(RichProgressBar)
        if config["logger"] is False:
            unwanted.append(LearningRateMonitor)
        wanted = [callback for callback in callbacks if not isinstance(callback, tuple(unwanted))]
        return super()._instantiate_trainer(config, wanted)


def main(args: list[str] | None = None) -> None:
    """Runs `framecast train ARGS`; None takes the arguments of the process.

    Raises:
        ValueError: If a setting is wrong.
        SystemExit: With status 1 if the training failed for a reason that its user can mend, 2 for wrong arguments, and
            128 plus its number for a signal.
    """
    hush()
    keep_freed_memory()
    try:
        with StopSignals() as signals, Heartbeat() as heartbeat:
            TrainCLI(args, signals, heartbeat)
    except Stopped as stop:
        where = " ".join(getattr(stop, "__notes__", ["before its first step; start it again"]))
        print(f"framecast train: {stop} {where}", file=sys.stderr)
        sys.exit(stop.status)
    except MisconfigurationException as error:  # Lightning's, of settings that do not go together
        raise ValueError(" ".join(str(error).split())) from error
    except (CheckpointError, CodebookCollapse, FloatingPointError, LoaderError, PolicyCollapse, RewardError) as error:
        print(f"framecast train: {error}", file=sys.stderr)
        sys.exit(1)
    except RuntimeError as error:
        if not str(error).startswith("DataLoader worker"):
            raise
        print(f"framecast train: {error}; a process that loads clips has died; go on with --ckpt_path last", file=sys.stderr)
        sys.exit(1)
