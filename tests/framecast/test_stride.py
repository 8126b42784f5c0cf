"""How actions of frames become those of latent frames, and back."""

import pytest
import torch

from framecast.stride import Stride


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_actions_of_latent_frames(stride):
    actions = torch.arange(2.0 * (1 + 3 * stride)).view(-1, 2)
    grouped = Stride(stride).group(actions)
    assert grouped.shape == (4, stride, 2)
    assert grouped[0, :-1].isnan().all() and torch.equal(grouped[0, -1], actions[0])  # the first frame, repeated in front
    assert torch.equal(grouped[1], actions[1 : 1 + stride]) and torch.equal(grouped[3], actions[-stride:])
    assert torch.equal(Stride(stride).ungroup(grouped), actions)


def test_actions_of_half_a_latent_frame_are_refused():
    with pytest.raises(ValueError, match=r"got a video of 4 frames; wanted 1 \+ 2k frames"):
        Stride(2).group(torch.zeros(4, 3))
