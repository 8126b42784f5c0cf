"""How well the video LM predicts."""

from dataclasses import replace

import numpy as np
import pytest
from studies import SETTINGS, Oracle, figure

from framecast.evaluate import prediction


def test_prediction_is_better_with_the_right_prompt_and_in_later_frames():
    study = Oracle(settings=replace(SETTINGS, clips=8))
    section = prediction.prediction(study, lambda share: None)
    by_tokens = next(curve for curve in section.curves if curve.name == "by tokens")
    assert by_tokens.y[0] > by_tokens.y[-1] > 0
    assert 0 < figure(section, "nats per token, by tokens") < 7
    assert figure(section, "bits per pixel, by rows") == pytest.approx(
        figure(section, "nats per token, by rows") / np.log(2) * 9 * 64 / (33 * 64 * 64)
    )
