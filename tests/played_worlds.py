"""A small world to evaluate: a textured ring that two keys turn. Its truth is known, and dreams of it are right or wrong."""

from functools import cache

import numpy as np
import tiny_bundle
import torch
from torch import Tensor

from framecast.data import ActionSpace, Button, Caption, CaptionedClip
from framecast.evaluate import Settings
from framecast.evaluate.study import Study
from framecast.evaluate.worlds.action_net import Shown
from framecast.evaluate.worlds.recording import Recording, Start
from framecast.evaluate.worlds.truth import History
from framecast.sample import load_bundle

SPACE = ActionSpace((Button("turn left", "ArrowLeft", "turn"), Button("turn right", "ArrowRight", "turn")))
SETTINGS = Settings(clips=4, long_clips=2, long_frames=97, play_frames=64)
GIVEN, MADE, HEIGHT, WIDTH = 5, 32, 16, 24
_ROUND = 120  # columns of the ring


@cache
def ring(seed: int) -> np.ndarray:
    """uint8 `[16, 120, 3]`, which goes round without a seam."""
    rng = np.random.default_rng(seed)
    angle, rows = 2 * np.pi * np.arange(_ROUND) / _ROUND, np.arange(HEIGHT)[:, None, None]
    waves = sum(
        rng.uniform(10, 22) * np.sin(k * angle[None, :, None] + rng.uniform(0, 6, 3) + rows / rng.uniform(2, 6))
        for k in range(5, 40, 7)
    )
    return np.clip(120 + waves, 0, 255).astype(np.uint8)


def view(seed: int, rows: np.ndarray) -> Tensor:
    """Frames uint8 `[T, 16, 24, 3]` of all actions since the beginning; a key turns the ring by two columns."""
    turned = np.cumsum(np.nan_to_num(rows[:, 1] - rows[:, 0])) * 2
    columns = (turned[:, None].astype(int) + np.arange(WIDTH)) % _ROUND
    return torch.from_numpy(np.stack([ring(seed)[:, each] for each in columns]))


def policy(frames: int, seed: int) -> np.ndarray:
    """Keys that are held for some frames each; row 0 is unknown."""
    picks = np.repeat(np.random.default_rng(seed).integers(3, size=frames), 5)[:frames]
    rows = np.stack([picks == 1, picks == 2], axis=1).astype(np.float32)
    rows[0] = np.nan
    return rows


class RingTruth:
    """The ring, run again."""

    name = "Ring-v0"

    def history(self, file: str, frames: int) -> History:
        seed = int(file.removesuffix(".mp4"))
        return History(seed, policy(2 * (GIVEN + MADE), seed)[:frames])

    def close(self) -> None:
        """Nothing runs."""

    def run(self, history: History, rows: np.ndarray) -> Tensor:
        return view(history.seed, np.concatenate([history.actions, rows]))[len(history.actions) :]


def recording(has_truth: bool = True, starts: int = 4, others: int = 8) -> Recording:
    """Starts of different rings, the second of each pair further on in its video."""
    found = []
    for seed in range(starts):
        rows, first = policy(2 * (GIVEN + MADE), seed), (seed % 2) * (GIVEN + MADE)
        part = slice(first, first + GIVEN + MADE)
        captions = (Caption(0, ""),)
        clip = CaptionedClip(
            view(seed, rows)[part], captions, 12.0, f"{seed}.mp4@{first / 12:.2f}s", actions=torch.from_numpy(rows)[part]
        )
        history = RingTruth().history(f"{seed}.mp4", first + GIVEN) if has_truth else None
        found.append(Start(clip, GIVEN, first, history))
    videos = [policy(GIVEN + MADE, 100 + seed) for seed in range(others)]
    shown = tuple(Shown(view(100 + seed, rows), rows) for seed, rows in enumerate(videos))
    return Recording(tuple(found), shown, SPACE, RingTruth() if has_truth else None, "Four rings.")


class Dreamer(Study):
    """A study whose bundle dreams as `dream` says: from a start and the actions to the frames that follow."""

    def __init__(self, dream, known: Recording | None = None):
        super().__init__(bundle(), SETTINGS)
        self._dream, self.recording = dream, known or recording()

    def dream(self, starts, actions, progress, seed=0) -> list[Tensor]:
        progress(1.0)
        return [self._dream(start, rows) for start, rows in zip(starts, actions, strict=True)]

    def play(self, starts, policy, frames, progress) -> list[Tensor]:
        """The policy sees what truly follows."""
        rows: list[list[np.ndarray]] = [[] for _ in starts]
        for _ in range(frames):
            made = [right(start, np.stack(own)) if own else start.frames[:0] for start, own in zip(starts, rows, strict=True)]
            seen = [torch.cat([start.frames, own]) for start, own in zip(starts, made, strict=True)]
            for own, row in zip(rows, policy(seen), strict=True):
                own.append(row)
        return self.dream(starts, [np.stack(own) for own in rows], progress)


@cache
def bundle():
    import tempfile
    from pathlib import Path

    return load_bundle(tiny_bundle.save(Path(tempfile.mkdtemp()) / "bundle"))


def right(start: Start, rows: np.ndarray) -> Tensor:
    """What truly follows."""
    truth = RingTruth()
    return truth.run(truth.history(start.file, start.first + start.given), rows)


def deaf(start: Start, rows: np.ndarray) -> Tensor:
    """What follows if nothing is done."""
    return right(start, np.zeros_like(rows))


def late(start: Start, rows: np.ndarray) -> Tensor:
    """What truly follows, nine frames late."""
    return right(start, np.concatenate([np.zeros_like(rows[:9]), rows])[: len(rows)])


def fading(start: Start, rows: np.ndarray) -> Tensor:
    """What truly follows, greyer and greyer."""
    frames = right(start, rows).float()
    share = torch.linspace(1, 0.2, len(frames))[:, None, None, None]
    return (share * frames + (1 - share) * 120).to(torch.uint8)
