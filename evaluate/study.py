"""A bundle under evaluation, and the clips that it makes from prompts."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..data import CaptionedClip, SpriteWorld, to_frames, to_video
from ..data.sprites import Scene, caption_scene, has_combinations
from ..sample import Bundle, PromptWarning, SamplingParams, StreamBatch, VideoGenerator
from ..sample.prompts import NO_CAPTION
from ..sample.settings import as_params
from .adherence import ClipVerdict, Judge
from .reading import SceneReader
from .real.held_out import HeldOut, Timed, captions_of, long_clips
from .second.reader import SecondReader
from .settings import Settings
from .worlds.recording import Recording, Start, held_out_recording
from .worlds.trying import Rows

Progress = Callable[[float], None]
"""Is told the share of a section that is done, 0 to 1."""

WORLDS = 32
"""Seeds from that of the settings on which worlds of an evaluation may have."""
_SLOTS = 8
_SEEN = 16  # frames that a policy is shown


def part_of(progress: Progress, part: int, parts: int) -> Progress:
    """The progress of one of several equal parts."""
    return lambda share: progress((part + share) / parts)


@dataclass(frozen=True)
class Case:
    """A prompt with the scene it was taken from.

    Attributes:
        prompt: The caption.
        seed: Of the stream.
        scene: What a true clip of it shows.
        frames: uint8 `[T, H, W, 3]`, that clip.
    """

    prompt: str
    seed: int
    scene: Scene
    frames: Tensor


class Study:
    """One bundle under evaluation.

    Args:
        bundle: What is evaluated.
        settings: How.
    """

    def __init__(self, bundle: Bundle, settings: Settings):
        self.bundle, self.settings = bundle, settings
        self.params = as_params(settings.params, own=bundle.params)
        self._gone_on: dict[str, list[Tensor]] = {}

    @cached_property
    def generator(self) -> VideoGenerator:
        """Makes its clips."""
        return self.bundle.generator(self.settings.device, getattr(torch, self.settings.dtype))

    @cached_property
    def recording(self) -> Recording:
        """Held-out moments of a world, to play on from."""
        return held_out_recording(self.bundle, self.settings)

    def close(self) -> None:
        """Ends the environment that the truth of a world is known from, if one runs."""
        recording: Recording | None = vars(self).get("recording")
        if recording is not None and recording.truth is not None:
            recording.truth.close()

    @cached_property
    def held_out(self) -> HeldOut:
        """Clips of real video to go on from."""
        return long_clips(self.bundle, self.settings)

    def captions(self, clip: CaptionedClip) -> Timed:
        """What is said of a clip of real video, as the bundle can be told; empty if nothing is."""
        lm, text = self.bundle.lm, self.bundle.text_tokenizer
        assert lm is not None and text is not None
        return captions_of(clip, text, lm.config.max_prompt_length)

    @cached_property
    def reader(self) -> SceneReader:
        """Reads clips of the sprite world."""
        return SceneReader(self.world().radii)

    @cached_property
    def judge(self) -> Judge:
        """Compares them with their captions."""
        return Judge(self.reader.templates, self.world().speeds)

    @cached_property
    def second_reader(self) -> SecondReader:
        """Judges clips of the sprite world apart from reader and judge."""
        return SecondReader(self.world().radii, self.world().speeds)

    @cached_property
    def knows_sprites(self) -> bool:
        """Whether it was trained on the sprite world."""
        return self.bundle.training.get("source") == SpriteWorld.__name__

    @property
    def trained_on(self) -> dict[str, Any]:
        """The settings of the source that the bundle was trained on; empty if it does not say."""
        settings: Any = self.bundle.training.get("settings", {})
        return settings

    @property
    def combinations(self) -> list[str]:
        """Which of the "seen" and "unseen" combinations its world has."""
        world = self.world()
        return [which for which in ("seen", "unseen") if has_combinations(world.shapes, world.motions, which)]

    def world(
        self, num_frames: int = 33, combinations: str = "all", seed: int = 0, two_objects: float | None = None
    ) -> SpriteWorld:
        """A sprite world as the bundle was trained on, but for its seed; `seed` tells the worlds of this study apart."""
        trained = self.trained_on
        kinds = {name: trained[name] for name in ("shapes", "motions", "two_objects", "speeds", "radii") if name in trained}
        kinds |= {} if two_objects is None else {"two_objects": two_objects}
        return SpriteWorld(
            num_frames=num_frames,
            size=self.bundle.height,
            fps=self.bundle.fps,
            seed=self.settings.seed + seed,
            combinations=combinations,
            **kinds,
        )

    @property
    def num_frames(self) -> int:
        """Length of the clips that the bundle was trained on."""
        return int(self.bundle.training.get("num_frames", 33))

    def cases(self, world: SpriteWorld, count: int, wanted: Callable[[Scene], bool] = lambda scene: True) -> list[Case]:
        """The first scenes of a world that are as wanted, each under one caption; fewer if the world has no more."""
        found = islice((index for index in range(len(world)) if wanted(world.scene(index))), count)
        return [self._case(world, index) for index in found]

    def _case(self, world: SpriteWorld, index: int) -> Case:
        scene = replace(world.scene(index), timeline=False)
        return Case(caption_scene(scene)[0].text, self.settings.seed + index, scene, world[index].frames)

    def verdict(self, case: Case, clip: Tensor) -> ClipVerdict:
        """Reads a clip and compares it with the caption of its case."""
        return self.verdicts([case], [clip])[0]

    def verdicts(self, cases: Sequence[Case], clips: Sequence[Tensor]) -> list[ClipVerdict]:
        """Reads clips of one length and compares each with the caption of its case."""
        readings = self.reader.read_all(torch.stack(list(clips))) if clips else []
        return [self.judge.judge(reading, case.prompt) for reading, case in zip(readings, cases, strict=True)]

    def generate(
        self,
        prompts: Sequence[str | Sequence[tuple[float, str]]],
        num_frames: int,
        progress: Progress,
        params: SamplingParams | None = None,
        first_frames: Sequence[Tensor] | None = None,
        seed: int = 0,
        actions: Sequence[Rows] | None = None,
    ) -> list[Tensor]:
        """Clips uint8 `[num_frames, H, W, 3]`, several at a time; the seed of clip i is that of the study plus i.

        Args:
            prompts: What they show.
            num_frames: Their length, with the first frames.
            progress: Is told how far it is.
            params: How tokens are chosen, if not as in the settings.
            first_frames: uint8 `[T, H, W, 3]` each, what they begin with; all of one length.
            seed: Is added to all seeds.
            actions: float32 `[num_frames, A]` each, what is done in all frames; None if the bundle knows no actions.
        """
        clips: list[Tensor] = []
        for start in range(0, len(prompts), _SLOTS):
            rows = range(start, min(start + _SLOTS, len(prompts)))
            given = [None if first_frames is None else first_frames[row] for row in rows]
            rests = [_parted(None if actions is None else actions[row], first) for row, first in zip(rows, given, strict=True)]
            chosen = params or self.params
            streams = [
                self.generator.stream(
                    prompts[row], self.settings.seed + seed + row, chosen, first, actions=to_come, first_actions=so_far
                )
                for row, first, (so_far, to_come) in zip(rows, given, rests, strict=True)
            ]
            batch = StreamBatch.of(self.generator, streams)
            length, done = self.generator.tokenizer.num_latent_frames(num_frames), streams[0].num_latent_frames
            for index in range(done, length):
                batch.step()
                progress((start + (index + 1) / length * len(streams)) / len(prompts))
            for stream, first in zip(streams, given, strict=True):
                made = torch.stack([frame.image for frame in stream.take()])
                clips.append(made if first is None else torch.cat([first, made]))
                stream.close()
        return clips

    def go_on(
        self,
        clips: Sequence[CaptionedClip],
        prompts: Sequence[Timed],
        progress: Progress,
        num_frames: int | None = None,
        params: SamplingParams | None = None,
        seed: int = 0,
    ) -> list[Tensor]:
        """Clips uint8 `[num_frames, H, W, 3]` that begin as held-out clips do; made once if they are asked for again.

        Args:
            clips: Held-out clips.
            prompts: What is said of each; if that is nothing, it goes on as the video LM goes on without a prompt.
            progress: Is told how far it is.
            num_frames: Their length, with the given frames; None is that of the held-out clips.
            params: How tokens are chosen, if not as in the settings.
            seed: Is added to all seeds.
        """
        num_frames, params = num_frames or self.held_out.num_frames, params or self.params
        key = repr(([clip.name for clip in clips], prompts, num_frames, params, seed))
        if key not in self._gone_on:
            beginnings = [clip.frames[: self.held_out.given] for clip in clips]
            self._gone_on[key] = self._go_on(beginnings, prompts, progress, num_frames, params, seed)
        return self._gone_on[key]

    def dream(self, starts: Sequence[Start], actions: Sequence[Rows], progress: Progress, seed: int = 0) -> list[Tensor]:
        """What the bundle makes of held-out moments of a recording, uint8 `[T, H, W, 3]` each, without the given frames.

        The seed of the noise is that of the place in the list. So two calls with the same starts differ by the actions alone.

        Args:
            starts: Moments of the recording.
            actions: float32 `[T, A]` each, what is done in the T frames that are made; all of one length.
            progress: Is told how far it is.
            seed: Is added to all seeds.
        """
        key = repr(([start.clip.name for start in starts], [sha256(rows.tobytes()).hexdigest() for rows in actions], seed))
        if key not in self._gone_on:
            given, length = starts[0].given, len(actions[0])
            whole = [np.concatenate([start.rows[:given], rows]) for start, rows in zip(starts, actions, strict=True)]
            beginnings, prompts = [start.frames for start in starts], [self.captions(start.clip) for start in starts]
            lacking = self.bundle.tokenizer.stride.missing(given + length)
            whole = [np.pad(rows, ((0, lacking), (0, 0)), mode="edge") for rows in whole]
            made = self._go_on(beginnings, prompts, progress, given + length + lacking, self.params, seed, whole)
            self._gone_on[key] = [clip[given : given + length] for clip in made]
        return self._gone_on[key]

    def play(
        self, starts: Sequence[Start], policy: Callable[[list[Tensor]], Sequence[Rows]], frames: int, progress: Progress
    ) -> list[Tensor]:
        """What the bundle makes of held-out moments for a policy that sees it, uint8 `[frames, H, W, 3]` each.

        Args:
            starts: Moments of the recording.
            policy: Given the last frames of each stream, uint8 `[T, H, W, 3]`, it says what is done next, float32 `[A]` each.
            frames: How many are made.
            progress: Is told how far it is.
        """
        streams = []
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PromptWarning)
            for row, start in enumerate(starts):
                prompt, seed = self.captions(start.clip), self.settings.seed + row
                params, before = self.params if prompt else _untold(self.params), start.rows[: start.given]
                streams.append(self.generator.stream(prompt or NO_CAPTION, seed, params, start.frames, first_actions=before))
        batch, made = StreamBatch.of(self.generator, streams), [[*start.frames] for start in starts]
        while len(made[0]) < starts[0].given + frames:
            for stream, action in zip(streams, policy([torch.stack(own[-_SEEN:]) for own in made]), strict=True):
                stream.act(action)
            batch.step()
            for stream, own in zip(streams, made, strict=True):
                own += [frame.image for frame in stream.take()]
            progress(min(1.0, (len(made[0]) - starts[0].given) / frames))
        for stream in streams:
            stream.close()
        return [torch.stack(own[start.given : start.given + frames]) for start, own in zip(starts, made, strict=True)]

    def _go_on(
        self,
        beginnings: Sequence[Tensor],
        prompts: Sequence[Timed],
        progress: Progress,
        num_frames: int,
        params: SamplingParams,
        seed: int,
        actions: Sequence[Rows] | None = None,
    ) -> list[Tensor]:
        made: dict[int, Tensor] = {}
        for told in (True, False):
            rows = [row for row, prompt in enumerate(prompts) if bool(prompt) == told]
            texts = [prompts[row] or NO_CAPTION for row in rows]
            own = params if told else _untold(params)
            before, share = len(made) / len(prompts), len(rows) / len(prompts)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", PromptWarning)  # how many words are unknown is said in the report
                first, update = [beginnings[row] for row in rows], _within(progress, before, share)
                done_in = None if actions is None else [actions[row] for row in rows]
                made |= zip(rows, self.generate(texts, num_frames, update, own, first, seed, done_in), strict=True)
        return [made[row] for row in range(len(prompts))]


def _untold(params: SamplingParams) -> SamplingParams:
    """Settings for a video of which nothing is said: at a scale of 0 a prompt is nothing."""
    return replace(params, guidance_scale=0.0)


def _parted(actions: Rows | None, first_frames: Tensor | None) -> tuple[Rows | None, Rows | None]:
    """The actions of a clip as a stream takes them: those of the given frames, and those to come."""
    if actions is None or first_frames is None:
        return None, actions
    return actions[: len(first_frames)], actions[len(first_frames) :]


def _within(progress: Progress, before: float, share: float) -> Progress:
    return lambda done: progress(before + share * done)


def reconstruct(study: Study, frames: Tensor) -> Tensor:
    """A clip through the tokenizer and back."""
    with torch.inference_mode():
        tokens = study.bundle.tokenizer.encode(to_video(frames)[None])
        return to_frames(study.bundle.tokenizer.decode(tokens))[0]
