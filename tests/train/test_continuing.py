"""Continuations of held-out clips: what is given stays, the truth is compared, no prompt is the null prompt."""

from dataclasses import replace

import pytest
import tiny_bundle
import tiny_world
import torch

from framecast.data import Caption, CaptionedClip
from framecast.sample import SamplingParams
from framecast.train.continuing import HeldOut, acted, continuations, given_latents, held_actions, likeness, prompted, told

PARAMS = SamplingParams(temperature=1.0)


def held_out(text: str, num_frames: int = 17, seed: int = 0) -> HeldOut:
    frames = tiny_bundle.frames(num_frames, seed)
    clip = CaptionedClip(frames, (Caption(0, text),), tiny_bundle.FPS, f"clip {seed}")
    return HeldOut(clip, tiny_bundle.generator().encode(frames))


def test_the_last_second_is_made_and_what_is_given_stays():
    generator, clips = tiny_bundle.generator(), [held_out("a ring falls", seed=seed) for seed in range(2)]
    assert given_latents(clips[0], 4) == 2  # of five; a second is three
    assert [given_latents(held_out("", length), 4) for length in (5, 33)] == [1, 6]
    made = continuations(generator, clips, PARAMS, lambda: False)
    for clip, own in zip(clips, made, strict=True):
        assert own.shape == clip.clip.frames.shape
        assert torch.equal(own[:5], generator.decode(clip.tokens[:2]))
    again = continuations(generator, clips, PARAMS, lambda: False)
    assert all(torch.equal(a, b) for a, b in zip(made, again, strict=True))


def test_without_a_caption_the_null_prompt_holds():
    assert told([Caption(0, "a ring"), Caption(6, "it stops")], 12.0, PARAMS) == ([(0.0, "a ring"), (0.5, "it stops")], PARAMS)
    prompt, params = told([Caption(0, ""), Caption(6, "a ring")], 12.0, PARAMS)
    assert params.guidance_scale == 0
    generator = tiny_bundle.generator()
    one, other = (generator.generate(text, 9, 0, params).tokens for text in (prompt[0][1], "a red circle moves right"))
    assert torch.equal(one, other)  # whatever the prompt says


def test_a_look_ends_where_the_run_is_to_stop():
    generator = tiny_bundle.generator()
    assert continuations(generator, [held_out("a ring falls")], PARAMS, lambda: True) is None
    assert prompted(generator, ["a ring falls"], 9, PARAMS, lambda: True) is None
    (clip,) = prompted(generator, ["a ring falls"], 9, PARAMS, lambda: False)
    assert clip.shape == (9, 16, 24, 3)


def played(seed: int) -> HeldOut:
    frames = tiny_bundle.frames(17, seed)
    clip = CaptionedClip(frames, (Caption(0, ""),), tiny_world.FPS, f"clip {seed}", actions=tiny_world.actions(17, seed))
    return HeldOut(clip, tiny_world.generator().encode(frames))


def test_a_world_goes_on_with_what_was_truly_done():
    generator, clips = tiny_world.generator(), [played(seed) for seed in range(2)]
    given = given_latents(clips[0], 2)
    assert given == 3  # of nine; a second is six
    made = continuations(generator, clips, PARAMS, lambda: False)
    clip = clips[1].clip
    stream = generator.stream(
        "a video", 1, replace(PARAMS, guidance_scale=0.0), first_tokens=clips[1].tokens[:3], first_actions=clip.actions[:5]
    )
    stream.plan(clip.actions[5:])
    assert torch.equal(made[1][5:], torch.stack([next(stream).image for _ in range(12)]))
    other = CaptionedClip(clip.frames, clip.captions, clip.fps, clip.name, actions=tiny_world.actions(17, seed=7))
    assert not torch.equal(
        continuations(generator, [clips[0], HeldOut(other, clips[1].tokens)], PARAMS, lambda: False)[1], made[1]
    )
    assert continuations(tiny_bundle.generator(), [held_out("")], PARAMS, lambda: False)  # and a model that knows none as before


def test_a_world_is_shown_under_actions_that_are_held():
    generator, clip = tiny_world.generator(), played(0)
    held = held_actions(tiny_world.SPACE, 9)
    assert list(held) == ["nothing", "left", "right", "gas -1", "gas 1"] and list(held_actions(tiny_world.SPACE, 2)) == [
        "nothing",
        "left",
    ]
    made = acted(generator, clip, held.values(), PARAMS, lambda: False)
    assert [each.shape for each in made] == [(17, 16, 24, 3)] * 5 and all(torch.equal(each[:5], made[0][:5]) for each in made)
    assert not torch.equal(made[1][5:], made[2][5:])
    assert acted(generator, clip, held.values(), PARAMS, lambda: True) is None


def test_likeness_is_the_psnr_of_what_was_made_and_of_the_last_frame_repeated():
    clips = [held_out("", seed=seed) for seed in range(2)]
    made = [clip.clip.frames.clone() for clip in clips]
    made[1][5:] = 0
    found = likeness(clips, made, 5)

    def psnr(a, b):
        return 10 * torch.log10(255**2 / (a.double() - b.double()).square().mean().clamp(min=255**2 * 0.25e-10))

    true = [clip.clip.frames for clip in clips]
    wanted = sum(psnr(own[5:], frames[5:]) for own, frames in zip(made, true, strict=True)) / 2
    still = sum(psnr(frames[4:5].expand(12, -1, -1, -1), frames[5:]) for frames in true) / 2
    assert found.continuation == pytest.approx(float(wanted), abs=0.01)
    assert found.repeat == pytest.approx(float(still), abs=0.01)
    assert "repeating the last frame has" in str(found) and "(2 clips, 1.0 s each)" in str(found)
