"""`python -m benchmarks.film`: the film and the strip of a world in the docs. Keys follow the road that the world shows."""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from framecast.data import ActionSpace
from framecast.sample import Stream, VideoGenerator, load_generator
from framecast.sample.bundle_files import WORLD

from .report import say

Picture = NDArray[np.uint8]
Policy = Callable[[Picture, int], str]
_SCALE, _KEY, _GAP = 4, 22, 4
_DARK, _LIT, _TEXT = (38, 40, 52), (98, 120, 240), (235, 236, 245)


def main() -> None:
    """A film of the keys and of what they do, and a strip of two futures from one moment."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=str(WORLD), help="a world's folder (default: the shipped world)")
    parser.add_argument("--seconds", type=float, default=20, help="of the film (default: 20)")
    parser.add_argument("--seed", type=int, default=0, help="of the stream (default: 0)")
    parser.add_argument("--start", default=0, type=int, help="number of the start (default: 0)")
    parser.add_argument("--out", default="docs/images", help="folder of world.webp and world_branches.png (default: docs/images)")
    arguments = parser.parse_args()
    torch.set_grad_enabled(False)
    out, generator = Path(arguments.out), load_generator(arguments.bundle)
    space = generator.stepper.known_space()
    frames = list(film(begin(generator, arguments), space, round(arguments.seconds * generator.fps)))
    save_film(out / "world.webp", frames, generator.fps)
    branches(begin(generator, arguments), space).save(out / "world_branches.png")
    say(f"saved {out / 'world.webp'}, {len(frames)} frames, and {out / 'world_branches.png'}")


def begin(generator: VideoGenerator, arguments: argparse.Namespace) -> Stream:
    """A stream from a start."""
    return generator.stream(generator.starts[arguments.start].prompt or "", seed=arguments.seed, start=arguments.start)


def follow_road(frame: Picture, index: int) -> str:
    """The keys that lead along the gray road of CarRacing, by nothing but the picture `[H, W, 3]`.

    Args:
        frame: What is seen.
        index: Its number: gas is given in two frames of three.
    """
    rows, columns = frame.shape[:2]
    near = frame[int(0.45 * rows) : int(0.65 * rows)].astype(int)
    road = (near.max(-1) - near.min(-1) < 30) & (near.max(-1) < 150)
    keys = ["gas"] if index % 3 else []
    if road.any():
        side = road.nonzero()[1].mean() / columns - 0.5
        keys += ["left"] if side < -0.06 else ["right"] if side > 0.06 else []
    return "+".join(keys)


def film(stream: Stream, space: ActionSpace, num_frames: int) -> Iterator[Image.Image]:
    """Frames of a stream that is driven, above the keys that were held."""
    keys, index = "", 0
    while index < num_frames:
        for frame in stream.step(space.action(keys)):
            index = frame.index
            yield with_keys(frame.image.numpy(), keys, space)
        keys = follow_road(np.asarray(frame.image), index)


def with_keys(picture: Picture, keys: str, space: ActionSpace) -> Image.Image:
    """A picture, and the buttons below it; those that are held are lit."""
    rows, columns = picture.shape[:2]
    sheet = Image.new("RGB", (columns * _SCALE, rows * _SCALE + _KEY + 2 * _GAP), (20, 21, 28))
    sheet.paste(Image.fromarray(np.asarray(picture)).resize((columns * _SCALE, rows * _SCALE), Image.Resampling.NEAREST))
    draw, held = ImageDraw.Draw(sheet), keys.split("+")
    width = columns * _SCALE // len(space.buttons)
    for place, button in enumerate(space.buttons):
        left, top = place * width + _GAP // 2, rows * _SCALE + _GAP
        draw.rounded_rectangle((left, top, left + width - _GAP, top + _KEY), 4, fill=_LIT if button.name in held else _DARK)
        draw.text((left + width / 2 - _GAP / 2, top + _KEY / 2), button.name, fill=_TEXT, anchor="mm")
    return sheet


def save_film(file: Path, frames: list[Image.Image], fps: float) -> None:
    """As an animated WebP."""
    file.parent.mkdir(parents=True, exist_ok=True)
    frames[0].save(file, save_all=True, append_images=frames[1:], duration=round(1000 / fps), loop=0, quality=80, method=4)


def branches(stream: Stream, space: ActionSpace, before: int = 24, after: int = 20, every: int = 4) -> Image.Image:
    """Three futures of one moment: left, straight on and right, as rows of pictures."""
    list(film(stream, space, before))
    rows = []
    for future, keys in zip(stream.branch([0, 0, 0]), ("gas+left", "gas", "gas+right"), strict=True):
        pictures = [image for _ in range(after) for image in (f.image for f in future.step(space.action(keys)))]
        rows.append(np.concatenate([np.asarray(picture) for picture in pictures[::every]], axis=1))
    sheet = Image.fromarray(np.concatenate(rows))
    return sheet.resize((sheet.width * _SCALE // 2, sheet.height * _SCALE // 2), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
