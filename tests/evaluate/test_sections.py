"""The sections on clips whose figures are known: true clips must pass, spoilt ones must not."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import tiny_bundle
import torch
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.data.sprites import LINEAR, PASSES, Gradient, Pen, Scene, SpriteObject, parse_caption, render, trajectory
from framecast.evaluate import continuation, control, distance, drift, events, quality, tokens
from framecast.evaluate.figures import Section
from framecast.evaluate.study import Settings, Study
from framecast.sample import SamplingParams, load_bundle

SETTINGS = Settings(clips=6, long_clips=2, long_frames=97)


class Oracle(Study):
    """A study whose generator is the sprite world itself: it shows the scene of each prompt, then spoils it."""

    def __init__(self, spoil=lambda clip: clip, settings: Settings = SETTINGS):
        super().__init__(load_bundle(None), settings)
        self.spoil, self.known = spoil, {}

    def world(self, *arguments, **settings):
        made, known = super().world(*arguments, **settings), self.known
        same = {"combinations": made.combinations, "two_objects": made.two_objects}

        class Remembering(SpriteWorld):
            def __getitem__(self, index: int):
                clip = super().__getitem__(index)
                longer = SpriteWorld(self.num_clips, 129, self.width, self.fps, self.seed, **same)
                known[clip.captions[0].text] = (clip.frames, longer, index)
                return clip

        return Remembering(made.num_clips, made.num_frames, made.width, made.fps, made.seed, **same)

    def cases(self, world, count, *wanted):
        cases = super().cases(world, count, *wanted)
        self.known |= {case.prompt: (case.frames, None, 0) for case in cases}
        return cases

    def generate(self, prompts, num_frames, progress, params=None, first_frames=None) -> list[Tensor]:
        progress(1.0)
        clips = []
        for prompt in prompts:
            frames, longer, index = self.known[prompt]
            clips.append(self.spoil(frames if len(frames) >= num_frames else longer[index].frames[:num_frames]))
        return clips


def frozen(clip: Tensor) -> Tensor:
    return clip[:1].expand_as(clip).contiguous()


def flickering(clip: Tensor) -> Tensor:
    clip = clip.clone()
    clip[10] = (clip[10].float() + 60).clamp(max=255).to(torch.uint8)
    return clip


def shuffled(clip: Tensor) -> Tensor:
    return clip[torch.randperm(len(clip), generator=torch.Generator().manual_seed(1))]


def figure(section: Section, start: str) -> float:
    found = [item.value for item in section.figures if item.name.startswith(start)]
    assert found, (start, [item.name for item in section.figures])
    return found[0]


@cache
def measured(section, spoil=None) -> Section:
    return section(Oracle(spoil) if spoil else Oracle(), lambda share: None)


@pytest.mark.parametrize("which", ["seen", "unseen"])
def test_true_clips_pass_condition_control(which):
    for name in ("colour right", "shape right", "size right", "motion right, all motions", "number of objects right"):
        assert figure(measured(control.condition_control), f"{name}, {which}") == 100, name


def test_a_still_video_does_not_score_well():
    still = measured(control.condition_control, frozen)
    assert figure(still, "shape right, seen") > 80 and figure(still, "motion right, all motions, seen") < 50
    assert figure(measured(quality.quality, frozen), "motion: frozen steps of what should move, generated") == 100
    assert figure(measured(quality.quality), "motion: frozen steps of what should move, generated") == 0


@pytest.mark.parametrize(
    ("spoil", "name"),
    [
        (flickering, "consistency: flicker"),
        (shuffled, "consistency: flow-warped error"),
        (shuffled, "motion: jerk"),
    ],
)
def test_each_figure_of_quality_gets_worse_when_the_video_does(spoil, name):
    good, bad = (figure(measured(quality.quality, change), f"{name}, generated") for change in (None, spoil))
    assert bad > 1.2 * good + 0.01


def recoloured(clip: Tensor) -> Tensor:
    return torch.cat([clip[:30], clip[30:].roll(1, dims=3)])


def erased(clip: Tensor) -> Tensor:
    """From the middle on nothing but the bar and the corner's colour."""
    clip = clip.clone()
    bar = (clip[0] == 110).all(dim=2).float().mean(dim=0) > 0.9
    clip[len(clip) // 2 :, :, ~bar] = clip[0, 0, 0]
    return clip


@pytest.mark.parametrize(("spoil", "name"), [(recoloured, "is another one after it"), (erased, "is not there after it")])
def test_an_object_that_does_not_come_out_as_it_went_in_is_noticed(spoil, name):
    assert figure(measured(events.persistence), "goes behind the bar and comes out") >= 80
    assert figure(measured(events.persistence, spoil), "goes behind the bar and comes out") < 20
    assert figure(measured(events.persistence, spoil), name) > figure(measured(events.persistence), name) + 60


def test_only_what_goes_through_behind_the_bar_persists():
    study = Oracle()
    world = study.world(49, seed=2, two_objects=0.0)
    for case in study.cases(world, 4, lambda s: s.objects[0].motion == PASSES and bool((s.light == 1).all())):
        clip, bar, path = case.frames, case.scene.bar, case.scene.positions[0, :, 0]
        assert events.passing(study.reader, case, clip) == events.SAME
        assert events.passing(study.reader, case, frozen(clip)) == events.NOT_HIDDEN
        behind = int(np.abs(path - (bar[0] + bar[1] - 1) / 2).argmin())
        turned = torch.cat([clip[: behind + 1], clip[:behind].flip(0), frozen(clip)])[:49]
        assert events.passing(study.reader, case, turned) == events.ELSEWHERE
        apart = np.abs(path - (bar[0] + bar[1] - 1) / 2)
        out = behind + int((apart[behind:] > (bar[1] - bar[0]) / 2 + case.scene.objects[0].radius + 1).argmax())
        for at, outcome in ((out, events.ELSEWHERE), (-1, events.NOT_HIDDEN)):
            stands = clip[at][None].repeat(49, 1, 1, 1)  # beside the bar or far from it, and is gone for four frames
            stands[12:16] = torch.where((clip[at] == 110).all(dim=2)[..., None], clip[at], clip[0, 0, 0])
            assert events.passing(study.reader, case, stands) == outcome


class Drawn(Study):
    """A study whose generator draws what it is told of one object; `deaf` and `hasty` ones do not mind when."""

    def __init__(self, kind: str = "", spoil=lambda at, clip: clip):
        super().__init__(load_bundle(None), SETTINGS)
        self.kind, self.spoil = kind, spoil

    def generate(self, prompts, num_frames, progress, params=None, first_frames=None) -> list[Tensor]:
        return [self.spoil(at, self.draw(prompt, num_frames)) for at, prompt in enumerate(prompts)]

    def draw(self, prompt: str | list[tuple[float, str]], num_frames: int) -> Tensor:
        texts = [prompt] if isinstance(prompt, str) else [text for _, text in prompt]
        told = [parse_caption(text)[0] for text in texts]
        told = {"deaf": told[:1], "hasty": told[-1:]}.get(self.kind, told)
        motion, then = told[0].motion, told[1].motion if len(told) > 1 else None
        radius = self.world().radii[told[0].size == "large"]
        looks = (told[0].shape, told[0].colour, told[0].size or "small", radius)
        switch, heading = 17 if then else None, LINEAR.get(motion, (1, 1))
        item = SpriteObject(
            *looks, "stands still" if motion == "stops" else motion, (32, 32), 1.0, heading, Pen(0.1, 0.165), then, switch
        )
        ones, path = np.ones(num_frames), trajectory(item, num_frames, 64, 64) % 64
        ground = Gradient((9, 9, 12), (9, 9, 12), True)
        return torch.from_numpy(
            render(Scene((item,), path[None], ones[None], None, ground, ones, np.zeros((num_frames, 2)), 64, 64))
        )


@pytest.mark.parametrize(("kind", "first", "then"), [("", 100, 100), ("deaf", 100, 0), ("hasty", 0, 100)])
def test_a_prompt_is_obeyed_before_and_after_it_changes(kind, first, then):
    section = events.steering(Drawn(kind), lambda share: None)
    assert figure(section, "went the first way") == first and figure(section, "goes the second way") == then
    assert figure(section, "obeyed within two latent frames") == min(first, then)


def test_a_still_video_obeys_no_change():
    section = events.steering(Drawn(spoil=lambda at, clip: frozen(clip)), lambda share: None)
    assert figure(section, "went the first way") == figure(section, "obeyed within two latent frames") == 0


def stops(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[48:49].expand_as(clip[48:])])


def changes_colour(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[48:].roll(1, dims=3)])


def vanishes(at: int, clip: Tensor) -> Tensor:
    return torch.cat([clip[:48], clip[:1, :1, :1].expand_as(clip[48:])])


def gets_sharper_or_blurred(at: int, clip: Tensor) -> Tensor:
    return (clip.float() * (1 + (at - 0.5) * torch.arange(len(clip)) / len(clip))[:, None, None, None] / 2).to(torch.uint8)


def gets_lighter(at: int, clip: Tensor) -> Tensor:
    return clip + (torch.arange(len(clip)) // 4).to(torch.uint8)[:, None, None, None]


@pytest.mark.parametrize(
    ("spoil", "name", "good", "bad"),
    [
        (stops, "windows in which the object does not move", 0, 45),
        (changes_colour, "streams that keep their identity", 100, 0),
        (vanishes, "streams that keep their identity", 100, 0),
        (gets_sharper_or_blurred, "change of sharpness in a stream", 0, 15),
        (gets_lighter, "change of background in a stream", 0, 30),
    ],
)
def test_drift_gets_worse_when_the_streams_do(spoil, name, good, bad):
    first, second = (figure(drift.drift(study, lambda share: None), name) for study in (Drawn(), Drawn(spoil=spoil)))
    assert first == pytest.approx(good, abs=1.5)
    assert second <= bad if bad < good else second >= bad


def test_streams_that_drift_apart_do_not_cancel():
    section = drift.drift(Drawn(spoil=gets_sharper_or_blurred), lambda share: None)
    assert abs(figure(section, "change of sharpness, all")) < 0.5 * figure(section, "change of sharpness in a stream")


def test_an_object_that_vanishes_is_not_right():
    gone = measured(control.condition_control, erased)
    assert figure(gone, "everything right, seen") == 0 and figure(gone, "colour right, seen") < 40
    lost = measured(continuation.physics, erased)
    assert figure(lost, "position error, free motion") == pytest.approx(np.hypot(32, 32))
    assert figure(lost, "frames in which the object is found, free") < 60


def test_true_clips_are_where_they_should_be_and_frozen_ones_are_not():
    for kind in ("free motion", "bounces"):
        assert figure(measured(continuation.physics), f"position error, {kind}") < 0.3
        assert figure(measured(continuation.physics, frozen), f"position error, {kind}") > 5


def test_drift_is_seen_in_identity_sharpness_background_and_motion():
    world = SpriteWorld(num_frames=129, seed=3)
    clip = next(
        world[i].frames
        for i in range(99)
        if len(world.scene(i).objects) == 1
        and world.scene(i).objects[0].motion == "moves left"
        and not world.scene(i).objects[0].then
        and not world.scene(i).camera.any()
    )
    item = next(iter(Oracle().reader.read(clip[:17]).objects))
    looks = f"a {item.look.size} {item.colour} {item.look.shape}"
    steady = drift.stretches(Oracle().reader, clip, looks)
    assert all(stretch.identity for stretch in steady) and len(steady) == 8
    assert all(stretch.speed == pytest.approx(1, abs=0.1) for stretch in steady)
    fading = (clip.float() * torch.linspace(1, 0.3, 129)[:, None, None, None] + 20).to(torch.uint8)
    late = drift.stretches(Oracle().reader, fading, looks)[-1]
    assert late.sharpness < 0.7 * steady[-1].sharpness and late.background > steady[-1].background + 5
    ends = drift.stretches(Oracle().reader, frozen(clip), looks)[-1]
    assert ends.motion == 0 and ends.speed == 0
    other = drift.stretches(Oracle().reader, torch.cat([clip[:64], clip[64:].roll(1, dims=3)]), looks)
    assert item.colour != "white" and other[0].identity and not other[-1].identity


def test_the_tokenizer_section_measures_reconstructions():
    section = tokens.tokenizer_on_sprites(Oracle(), lambda share: None)
    assert 20 < figure(section, "PSNR") < 45 and 85 < figure(section, "codes in use") <= 100
    assert figure(section, "bits per pixel") == pytest.approx(9 * 64 * np.log2(1000) / (33 * 64 * 64))


def test_prediction_is_better_with_the_right_prompt_and_in_later_frames():
    study = Oracle(settings=replace(SETTINGS, clips=8))
    section = tokens.prediction(study, lambda share: None)
    by_tokens = next(curve for curve in section.curves if curve.name == "by tokens")
    assert by_tokens.y[0] > by_tokens.y[-1] > 0
    assert 0 < figure(section, "nats per token, by tokens") < 7
    assert figure(section, "bits per pixel, by rows") == pytest.approx(
        figure(section, "nats per token, by rows") / np.log(2) * 9 * 64 / (33 * 64 * 64)
    )


def test_the_distance_is_smaller_for_true_clips_than_for_frozen_ones():
    good, bad = (measured(distance.frechet, change) for change in (None, frozen))
    name = "Frechet distance (not comparable to published FVD), generated against true"
    assert figure(good, name) == pytest.approx(0, abs=1e-3) and figure(bad, name) > 0.5


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
