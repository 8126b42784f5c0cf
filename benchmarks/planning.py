"""`python -m benchmarks.planning BUNDLE RECORDING`: what a planner that tries actions in the dream earns in the true environment.

The planner is random shooting: before each latent frame it dreams many futures under random actions and does the first action of
the best. Beside it stand the policy that made the recording and random actions, on the same seeds.
"""

import argparse
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isnan
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.table import Table

from framecast.data.worlds import RecordedEpisode, Recording, World
from framecast.evaluate.figures import Figure, mean_of
from framecast.evaluate.worlds.trying import random_actions
from framecast.progress import tracked
from framecast.sample import PromptWarning, SamplingParams, StreamBatch, VideoGenerator, load_generator
from framecast.sample.prompts import NO_CAPTION

from .report import check_output, machine, wide_console, write_json

Rows = NDArray[np.float32]
Choose = Callable[[NDArray[np.uint8], Rows], Rows]
"""An action `[A]` for the next latent frame, of the frames `[T, H, W, 3]` and the actions `[T, A]` so far."""
PLANNER, RECORDED, RANDOM = "random shooting in the dream", "policy of the recording", "random actions"
_CONTEXT = 17  # frames that the planner is given
_SEED = 11


class Shooting:
    """Random shooting: dreams futures under random actions, and does the first action of the best one.

    Args:
        generator: Of a bundle that foretells rewards.
        pool: float32 `[N, A]`, actions to choose from.
        tries: Futures that are dreamt.
        horizon: Their length in latent frames.
        hold: Latent frames for which an action of a future is held.
        prompt: What the world shows.
    """

    def __init__(
        self, generator: VideoGenerator, pool: Rows, tries: int = 16, horizon: int = 12, hold: int = 3, prompt: str = NO_CAPTION
    ):
        self.generator, self.pool, self.tries, self.horizon, self.hold = generator, pool, tries, horizon, hold
        self.prompt, self.decisions = prompt, 0

    def __call__(self, frames: NDArray[np.uint8], rows: Rows) -> Rows:
        stride = self.generator.codec.stride
        length, self.decisions = stride.trimmed(min(len(frames), _CONTEXT)), self.decisions + 1
        params = SamplingParams(guidance_scale=1.0)
        first, done = torch.from_numpy(frames[-length:]), rows[-length:]
        now = self.generator.stream(self.prompt, self.decisions, params, first, first_actions=done)
        plans = [random_actions(self.pool, self.horizon, self.hold, self.decisions * self.tries + at) for at in range(self.tries)]
        futures = [now.branch([now.seed], actions=np.repeat(plan, stride.frames, axis=0))[0] for plan in plans]
        batch = StreamBatch(self.generator, self.tries, guided=False)
        batch.join(*futures)
        returns, goes_on = np.zeros(self.tries), np.ones(self.tries)
        for _ in range(self.horizon):
            batch.step()
            returns += goes_on * [future.reward or 0.0 for future in futures]
            goes_on *= [1 - (future.end or 0.0) for future in futures]
        for stream in (*futures, now):
            stream.close()
        return plans[int(returns.argmax())][0]


def play(world: World, seed: int, frames: int, choose: Choose, stride: int) -> float:
    """The reward of an episode of so many frames, or until its end; each choice holds for `stride` frames."""
    seen, rows, total = [world.reset(seed)], [world.action_space.unknown], 0.0
    while len(seen) < frames and not world.is_over:
        row = choose(np.stack(seen), np.stack(rows))
        for _ in range(min(stride, frames - len(seen))):
            if not world.is_over:
                step = world.step(row)
                seen.append(step.frame)
                rows.append(row)
                total += step.reward
    return total


def recorded_reward(episode: RecordedEpisode, frames: int) -> float:
    """What the policy of the recording earned in the first frames of an episode."""
    assert episode.rewards is not None, "checked before"
    return float(np.nansum(episode.rewards[:frames]))


def compare(generator: VideoGenerator, recording: Recording, episodes: int, frames: int, planner: Shooting) -> list[Figure]:
    """The mean reward of each player, and by how much the planner is ahead, episode by episode."""
    chosen = [(each, each.seed) for each in recording if each.seed is not None and each.rewards is not None][:episodes]
    if recording.spec is None or not chosen:
        raise ValueError("got a recording without an environment, seeds or rewards; wanted one that `framecast record` made")
    stride = generator.codec.stride.frames
    earned: dict[str, list[float]] = {PLANNER: [], RECORDED: [], RANDOM: []}
    with World(recording.spec) as world, warnings.catch_warnings():
        warnings.simplefilter("ignore", PromptWarning)
        for number, (episode, seed) in enumerate(tracked(chosen, "playing", unit="episodes")):
            drawn = iter(random_actions(planner.pool, frames, planner.hold, _SEED + number))
            earned[PLANNER].append(play(world, seed, frames, planner, stride))
            earned[RECORDED].append(recorded_reward(episode, frames))
            earned[RANDOM].append(play(world, seed, frames, lambda *_, drawn=drawn: next(drawn), stride))
    figures = [mean_of(name, values) for name, values in earned.items()]
    for name in (RECORDED, RANDOM):
        ahead = [value - other for value, other in zip(earned[PLANNER], earned[name], strict=True)]
        figures.append(mean_of(f"{PLANNER} above {name}, episode by episode", ahead))
    return figures


def actions_of(recording: Recording) -> Rows:
    """The different actions of a recording, or all of them if they are many: float32 `[N, A]`."""
    rows: Rows = np.concatenate([episode.actions[1:] for episode in recording])
    return rows[~np.isnan(rows).any(axis=1)]


def main(words: Sequence[str] | None = None) -> None:
    """Plays, and prints a table; writes JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.planning", description=__doc__)
    parser.add_argument("bundle", help="folder of a bundle that foretells rewards")
    parser.add_argument("recording", help="a recording of its world, whose environment is played")
    parser.add_argument("--episodes", type=int, default=10, help="episodes, each from the seed of a recorded one (default: 10)")
    parser.add_argument("--frames", type=int, default=150, help="frames of an episode at most (default: 150)")
    parser.add_argument("--tries", type=int, default=16, help="futures that are dreamt for each action (default: 16)")
    parser.add_argument("--horizon", type=int, default=12, help="their length in latent frames (default: 12)")
    parser.add_argument("--hold", type=int, default=3, help="latent frames for which an action is held in them (default: 3)")
    parser.add_argument("--out", default="runs/planning.json", help="where the JSON goes")
    arguments = parser.parse_args(words)
    check_output(Path(arguments.out))
    generator, recording = load_generator(arguments.bundle), Recording(arguments.recording)
    if not generator.lm.config.rewards:
        raise ValueError(f"got {arguments.bundle}, which foretells no rewards; wanted a bundle trained with `lm.rewards`")
    planner = Shooting(generator, actions_of(recording), arguments.tries, arguments.horizon, arguments.hold)
    figures = compare(generator, recording, arguments.episodes, arguments.frames, planner)
    write_json(Path(arguments.out), {"figures": [asdict(each) for each in figures], "machine": machine()})
    shown = Table(
        title=f"reward in the true environment, up to {arguments.frames} frames; {recording.spec and recording.spec.env_id}"
    )
    for column in ("who", "reward", "95 % interval", "episodes"):
        shown.add_column(column, justify="left" if column == "who" else "right")
    for each in figures:
        interval = "-" if isnan(each.low) else f"{each.low:.2f} to {each.high:.2f}"
        shown.add_row(each.name, f"{each.value:.2f}", interval, str(each.count))
    wide_console().print(shown)


if __name__ == "__main__":
    main()
