"""Studies for tests, of clips whose figures are known: true ones must pass, spoilt ones must not."""

from functools import cache

import numpy as np
import torch
from torch import Tensor

from framecast.data import SpriteWorld
from framecast.data.sprites import LINEAR, Gradient, Pen, Scene, SpriteObject, parse_caption, render, trajectory
from framecast.evaluate.figures import Section
from framecast.evaluate.settings import Settings
from framecast.evaluate.study import Study
from framecast.sample import load_bundle

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


def figure(section: Section, start: str) -> float:
    found = [item.value for item in section.figures if item.name.startswith(start)]
    assert found, (start, [item.name for item in section.figures])
    return found[0]


@cache
def measured(section, spoil=None) -> Section:
    return section(Oracle(spoil) if spoil else Oracle(), lambda share: None)


def erased(clip: Tensor) -> Tensor:
    """From the middle on nothing but the bar and the corner's colour."""
    clip = clip.clone()
    bar = (clip[0] == 110).all(dim=2).float().mean(dim=0) > 0.9
    clip[len(clip) // 2 :, :, ~bar] = clip[0, 0, 0]
    return clip


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
