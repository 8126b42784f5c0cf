"""A bundle under evaluation, and the clips it makes."""

from dataclasses import replace

import real_videos
import tiny_bundle
import torch
from studies import SETTINGS

from framecast.evaluate.settings import Settings
from framecast.evaluate.study import Study
from framecast.sample import PromptWarning, SamplingParams, load_bundle


def test_clips_are_generated_several_at_a_time_and_each_as_alone():
    study = Study(load_bundle(None), replace(SETTINGS, params=SamplingParams(guidance_scale=1.0)))
    study.generator = tiny_bundle.generator()  # type: ignore[misc]
    prompts = ["a red circle moves right", "a ring falls", "a blue square moves up"] * 3
    done: list[float] = []
    clips = study.generate(prompts, 9, done.append)
    assert [len(clip) for clip in clips] == [9] * 9 and done == sorted(done) and done[-1] == 1
    alone = study.generator.generate(prompts[8], 9, SETTINGS.seed + 8, study.settings.params)
    assert (clips[8].int() - alone.frames.int()).abs().max() <= 1
    first = [clip[:5] for clip in clips]
    longer = study.generate(prompts, 13, done.append, first_frames=first)
    assert all(len(clip) == 13 and torch.equal(clip[:5], given) for clip, given in zip(longer, first, strict=True))


def test_clips_are_generated_where_and_how_exactly_it_is_said():
    study = Study(load_bundle(None), Settings(dtype="bfloat16"))
    assert study.generator.lm.norm.weight.dtype == torch.bfloat16 and study.bundle.lm.norm.weight.dtype == torch.float32


def test_real_clips_go_on_with_and_without_a_caption_and_are_made_once(tmp_path, recwarn):
    bundle = load_bundle(tiny_bundle.save(tmp_path / "bundle"))
    study = Study(bundle, replace(SETTINGS, clips=3, real=str(real_videos.write_folder(tmp_path / "videos"))))
    clips = study.held_out.clips
    prompts = [[(0.0, "a ring falls")], [], [(0.0, "quantum"), (2.0, "a ring falls")]]
    done: list[float] = []
    made = study.go_on(clips, prompts, done.append, 25)
    assert all(len(frames) == 25 and torch.equal(frames[:17], clip.frames[:17]) for frames, clip in zip(made, clips, strict=True))
    assert done == sorted(done) and done[-1] == 1 and not [w for w in recwarn if issubclass(w.category, PromptWarning)]
    null = study.generator.generate("a ring falls", 25, SETTINGS.seed, SamplingParams(guidance_scale=0), clips[1].frames[:17])
    assert (made[1][17:].int() - null.frames[17:].int()).abs().max() <= 1  # alone of its kind: the first seed
    assert study.go_on(clips, prompts, done.append, 25) is made
    assert study.go_on(clips, prompts, done.append, 25, seed=1) is not made
