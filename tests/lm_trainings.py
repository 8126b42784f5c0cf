"""Trainings of a tiny video LM on tokens, for tests."""

from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import torch

from framecast.data import ClipSource, SpriteWorld
from framecast.tokenizer import VideoTokenizerConfig
from framecast.train import TokenDataModule
from framecast.train.cli import main

CONFIG = Path(__file__).parents[1] / "train" / "configs" / "tiny_lm.yaml"
TOKENIZER, VIDEO = VideoTokenizerConfig(channels=(16, 16), num_blocks=(1, 1)), {"height": 32, "width": 32, "fps": 12.0}
PAD, EOS = 0, 2
SHORT = ("--trainer.max_steps=4", "--trainer.val_check_interval=2", "--trainer.log_every_n_steps=2")


def tokens(bundle: Path, shards: Path, source: ClipSource | None = None, **options) -> TokenDataModule:
    source = source or SpriteWorld(num_clips=64, num_frames=5, size=32)
    return TokenDataModule(source, str(bundle), str(shards), **{"val_clips": 4, "batch_size": 2, **options})


def prepared(data: TokenDataModule) -> TokenDataModule:
    """As Lightning prepares it."""
    strategy = SimpleNamespace(root_device=torch.device("cpu"))
    data.trainer = SimpleNamespace(strategy=strategy, precision_plugin=SimpleNamespace(forward_context=nullcontext))
    data.prepare_data()
    data.setup("fit")
    return data


def fit(folder: Path, bundle: Path, shards: Path, *options: str) -> None:
    quiet = ["--trainer.enable_progress_bar=false", "--trainer.enable_model_summary=false"]
    data = [f"--data.init_args.tokenizer={bundle}", f"--data.init_args.shards={shards}"]
    main(["fit", "--config", str(CONFIG), *quiet, *data, f"--trainer.default_root_dir={folder}", *options])
