"""Videos that cost nothing."""

import tiny
import torch

from framecast.evaluate.real.references import mean_colour, one_colour_per_place, repeated


def test_a_repeated_frame_stands_still():
    video = tiny.video(5)
    made = repeated(video, 2, 4)
    assert made.shape == (2, 3, 4, 16, 16) and all(torch.equal(made[:, :, at], video[:, :, 2]) for at in range(4))


def test_the_mean_colour_keeps_the_mean_of_each_frame_and_nothing_else():
    video = tiny.video(5)
    made = mean_colour(video)
    assert made.shape == video.shape
    torch.testing.assert_close(made[..., 0, 0], video.mean(dim=(3, 4)))
    assert float(made.std(dim=(3, 4)).max()) == 0


def test_a_colour_for_each_place_keeps_what_is_smooth():
    ramp = torch.linspace(-1, 1, 32).expand(1, 3, 2, 32, 32)
    made = one_colour_per_place(ramp, 4)
    assert made.shape == ramp.shape
    torch.testing.assert_close(made[..., 4:-4], ramp[..., 4:-4])
