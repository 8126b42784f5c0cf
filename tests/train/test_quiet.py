"""Lightning keeps its advertisements to itself, and says what matters."""

import logging

import pytest
from lightning.pytorch.utilities import rank_zero_info

from framecast.train.quiet import hush


@pytest.mark.parametrize(
    ("message", "is_said"),
    [
        ("💡 Tip: For seamless cloud logging and experiment tracking, try installing something", False),
        ("GPU available: False, used: False", False),
        ("GPU available: True (cuda), used: True", True),
        ("`Trainer.fit` stopped: `max_steps=20` reached.", False),
        ("precision: 32-true (products)", True),
    ],
)
def test_only_what_helps_is_said(caplog, message, is_said):
    hush()
    hush()
    with caplog.at_level(logging.INFO, logger="lightning.pytorch.utilities.rank_zero"):
        logging.getLogger("lightning.pytorch.utilities.rank_zero").propagate = True
        rank_zero_info(message)
    assert (message in caplog.messages) == is_said
