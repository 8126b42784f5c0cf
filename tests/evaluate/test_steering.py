"""Prompts that change: deaf and hasty models are told from one that obeys."""

import pytest
from studies import Drawn, figure, frozen

from framecast.evaluate import steering


@pytest.mark.parametrize(("kind", "first", "then"), [("", 100, 100), ("deaf", 100, 0), ("hasty", 0, 100)])
def test_a_prompt_is_obeyed_before_and_after_it_changes(kind, first, then):
    section = steering.steering(Drawn(kind), lambda share: None)
    assert figure(section, "went the first way") == first and figure(section, "goes the second way") == then
    assert figure(section, "obeyed within two latent frames") == min(first, then)


def test_a_still_video_obeys_no_change():
    section = steering.steering(Drawn(spoil=lambda at, clip: frozen(clip)), lambda share: None)
    assert figure(section, "went the first way") == figure(section, "obeyed within two latent frames") == 0
