"""What Lightning says and nobody needs: advertisements, devices that are not there, settings that are ours."""

import logging
import warnings

_LOGGERS = (
    "lightning.pytorch.utilities.rank_zero",
    "lightning.fabric.utilities.rank_zero",
    "lightning.fabric.utilities.seed",
)
_UNNEEDED = (
    "💡 Tip:",
    "Seed set to",
    "GPU available: False",
    "TPU available:",
    "HPU available:",
    "LOCAL_RANK: ",
    "You are using a CUDA device",  # products are in the precision of the training, which is said
    "Using bfloat16 Automatic Mixed Precision",
    "Restoring states from the checkpoint path",
    "`Trainer.fit` stopped: `max_steps=",
)
"""What the messages begin with."""
_WARNINGS = (
    ".*dataloader is not resumable",  # the data module is, see `ResumableSampler`
    ".*isinstance.treespec, LeafSpec",  # Lightning's own
    ".*does not have many workers",  # clips are kept in memory, or come from shards
    ".*is not supported by the model summary",
    ".*exists and is not empty",  # a run goes on in its folder
    ".*smaller than the logging interval",
    ".*recommended to use `self.log\\('val/(continuation|repeat)_psnr'",  # the first process alone makes samples
    ".*torch.distributed.nn.functional.all_gather is deprecated",
)


def hush() -> None:
    """From here on Lightning leaves out these messages and warnings, and says all others."""
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if _is_needed not in logger.filters:
            logger.addFilter(_is_needed)
    for pattern in _WARNINGS:
        warnings.filterwarnings("ignore", pattern)


def _is_needed(record: logging.LogRecord) -> bool:
    return not record.getMessage().strip().startswith(_UNNEEDED)
