"""The discriminator."""

import torch

from framecast.train.discriminator import PatchDiscriminator
from framecast.train.losses import hinge_loss


def test_the_discriminator_sees_flicker():
    still = torch.rand(1, 3, 1, 16, 16).expand(-1, -1, 3, -1, -1)
    flicker = still.clone()
    flicker[:, :, 1] += 0.5
    scores, other = PatchDiscriminator()(still), PatchDiscriminator()(still)
    assert scores.shape == (3, 1, 2, 2)
    critic = PatchDiscriminator()
    assert not torch.equal(critic(flicker)[2], critic(still)[2])  # the last frame is the same; the one before is not
    assert hinge_loss(torch.full_like(scores, 2), torch.full_like(other, -2)).item() == 0
