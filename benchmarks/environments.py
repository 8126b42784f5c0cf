"""`python -m benchmarks.environments`: steps per second of a world as an environment, alone and several in a batch, in turns."""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import yaml

from framecast.data import ActionSpace, Button
from framecast.model import VideoLM, VideoLMConfig
from framecast.sample import VideoGenerator, WorldEnv, WorldVectorEnv
from framecast.tokenizer import FSQ, TextTokenizer, VideoTokenizer, VideoTokenizerConfig

from .recipes import CONFIGS
from .report import say, write_json

_PROMPT = "a car drives on a track"


def main() -> None:
    """Measures both in turns, so that what else the machine does meets both alike; prints the figures and writes JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default=None, help="a world's folder (default: random networks of the recipe's size)")
    parser.add_argument("--prompt", default=_PROMPT, help=f"what it shows (default: {_PROMPT})")
    parser.add_argument("--envs", type=int, default=8, help="environments in the batch (default: 8)")
    parser.add_argument("--steps", type=int, default=30, help="steps of each turn (default: 30)")
    parser.add_argument("--turns", type=int, default=5, help="turns (default: 5)")
    parser.add_argument("--decoding", default="row", help="token, row, frame or jacobi (default: row)")
    parser.add_argument("--out", default="runs/environments", help="where the JSON goes, without a suffix")
    arguments = parser.parse_args()
    world: Any = arguments.bundle or random_world()
    params = {"guidance_scale": 1.0, "decoding": arguments.decoding}
    rules: Any = {"prompt": arguments.prompt, "params": params, "max_steps": None, "end_above": 1.0}
    one, several = WorldEnv(world, **rules), WorldVectorEnv(world, arguments.envs, **rules)
    one.reset(seed=0), several.reset(seed=0)
    alone, together = [], []
    for turn in range(arguments.turns):
        alone.append(rate(lambda: one.step(one.action_space.sample()), arguments.steps))
        together.append(arguments.envs * rate(lambda: several.step(several.action_space.sample()), arguments.steps))
        say(f"turn {turn + 1}: {alone[-1]:.1f} steps/s alone, {together[-1]:.1f} in a batch of {arguments.envs}")
    gains = [both / single for both, single in zip(together, alone, strict=True)]
    report = {
        "steps_per_second": statistics.median(alone),
        "steps_per_second_in_batch": statistics.median(together),
        "envs": arguments.envs,
        "gain": statistics.median(gains),
        "gains": gains,
        "decoding": arguments.decoding,
        "bundle": arguments.bundle or "random",
    }
    write_json(Path(arguments.out).with_suffix(".json"), report)
    alone_rate, batch_rate = report["steps_per_second"], report["steps_per_second_in_batch"]
    turns = ", ".join(f"{gain:.2f}" for gain in gains)
    print(f"{alone_rate:.1f} steps/s alone, {batch_rate:.1f} in a batch: {report['gain']:.2f} times (turns: {turns})")


def rate(step: Callable[[], object], steps: int) -> float:
    """Calls per second."""
    started = time.perf_counter()
    for _ in range(steps):
        step()
    return steps / (time.perf_counter() - started)


def random_world() -> VideoGenerator:
    """Untrained networks of the size of `train/configs/world_lm.yaml`: their speed is that of trained ones."""
    torch.manual_seed(0)
    network = _recipe("world_tokenizer")
    tokenizer = VideoTokenizer(VideoTokenizerConfig(**network["tokenizer"]), FSQ(**network["quantizer"]["init_args"])).eval()
    text = TextTokenizer.train([_PROMPT], vocab_size=300)
    space = ActionSpace((Button("left", group="turn"), Button("right", group="turn"), Button("gas"), Button("brake")))
    config = VideoLMConfig(
        codebook_size=tokenizer.codebook_size,
        frame_shape=tokenizer.frame_shape(64, 64),
        text_vocab_size=text.vocab_size,
        num_actions=space.size,
        action_frames=tokenizer.temporal_stride,
        **_recipe("world_lm")["lm"],
    )
    return VideoGenerator(tokenizer, VideoLM(config).eval(), text, 64, 64, 12.5, action_space=space)


def _recipe(name: str) -> dict[str, Any]:
    """What the model of a shipped configuration is made with."""
    return yaml.safe_load((CONFIGS / f"{name}.yaml").read_text())["model"]["init_args"]


if __name__ == "__main__":
    main()
