"""Makes the moving pictures of the gallery with the shipped model: `python docs/make_gallery.py` from the root of a clone.

Prompts, seeds and settings are written here, so that the pictures are the same each time. Nothing is chosen by hand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import framecast
from framecast import SpriteWorld, VideoGenerator

FOLDER = Path(__file__).parent / "images" / "gallery"
GAP, QUALITY = 6, 60
INK, PAPER = (20, 20, 20), (255, 255, 255)
PROMPTS = (
    "a small red star moves up and left",
    "a large white digit 3 moves right",
    "a large green ring moves left, then moves up",
    "a small yellow circle bounces",
    "a large blue triangle fades out",
    "a large orange cross moves down, and the camera pans right",
    "a large red square falls",
    "a small cyan star passes behind a bar",
)
FAULTS = (
    "a small green digit 8 bounces",
    "a small red ring bounces, and a large blue cross moves up",
    "a dog runs on a beach",
)
STREAM = (
    (0.0, "a large red circle moves right"),
    (2.0, "a large red circle moves up"),
    (4.0, "a large blue star moves up"),
    (6.0, "a large blue star stands still"),
)


@dataclass(frozen=True)
class Film:
    """Frames uint8 `[T, H, W, 3]`, and what stands below each of them."""

    frames: np.ndarray
    labels: Sequence[str]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    generator = framecast.load_generator()
    save("prompts", [clip(generator, prompt) for prompt in PROMPTS], columns=4, fps=generator.fps)
    save("faults", [clip(generator, prompt) for prompt in FAULTS], columns=3, fps=generator.fps)
    save("stream", [stream(generator)], columns=1, fps=generator.fps, scale=3)
    save("continuation", continuation(generator), columns=3, fps=generator.fps)
    save("branches", branches(generator), columns=3, fps=generator.fps)


def clip(generator: VideoGenerator, prompt: str, num_frames: int = 33) -> Film:
    made = generator.generate(prompt, num_frames, seed=0)
    return Film(made.frames.numpy(), [prompt] * num_frames)


def stream(generator: VideoGenerator, num_frames: int = 97) -> Film:
    """One stream whose prompt changes three times; each frame has the prompt that it follows."""
    frames = [frame for frame, _ in zip(generator.stream(STREAM, seed=0), range(num_frames), strict=False)]
    return Film(np.stack([frame.image.numpy() for frame in frames]), [frame.prompt for frame in frames])


def continuation(generator: VideoGenerator, given: int = 17, num_frames: int = 49) -> list[Film]:
    """Clips of the world that the model has not seen, beside what the model makes of their first frames."""
    films: list[Film] = []
    for index in range(3):
        true = SpriteWorld(num_frames=num_frames, seed=500, two_objects=0.0)[index]
        prompt = [(caption.start / true.fps, caption.text) for caption in true.captions]
        made = generator.generate(prompt, num_frames, seed=0, first_frames=true.frames[:given])
        both = np.concatenate([true.frames.numpy(), made.frames.numpy()], axis=2)
        films.append(Film(both, [f"true | {'given' if frame < given else 'continued'}" for frame in range(num_frames)]))
    return films


def branches(generator: VideoGenerator, shared: int = 25, num_frames: int = 65) -> list[Film]:
    """Three futures of one moment: one goes on as it was, and two are told something else."""
    trunk = generator.stream("a large yellow circle moves right", seed=0)
    past = [next(trunk) for _ in range(shared)]
    films = []
    for told in (None, "a large yellow circle moves down", "a large yellow circle stops"):
        (branch,) = trunk.branch([0])
        if told:
            branch.set_prompt(told)
        future = [next(branch) for _ in range(num_frames - shared)]
        labels = ["one past"] * shared + [told or "no new prompt"] * len(future)
        films.append(Film(np.stack([frame.image.numpy() for frame in [*past, *future]]), labels))
    return films


def save(name: str, films: Sequence[Film], columns: int, fps: float, scale: int = 2) -> None:
    """Writes films side by side as an animated WebP, each above its label."""
    font = ImageFont.load_default(size=12)
    width = scale * films[0].frames.shape[2]
    height = scale * films[0].frames.shape[1]
    line = math.ceil(font.getbbox("Ag")[3]) + 2
    lines = max(len(wrapped(label, font, width)) for film in films for label in film.labels)
    cell = height + lines * line + GAP
    pictures = []
    for index in range(len(films[0].frames)):
        sheet = Image.new("RGB", (columns * (width + GAP), math.ceil(len(films) / columns) * cell), PAPER)
        draw = ImageDraw.Draw(sheet)
        for place, film in enumerate(films):
            left, top = place % columns * (width + GAP), place // columns * cell
            sheet.paste(Image.fromarray(film.frames[index]).resize((width, height), Image.Resampling.NEAREST), (left, top))
            for row, text in enumerate(wrapped(film.labels[index], font, width)):
                draw.text((left, top + height + row * line), text, INK, font)
        pictures.append(sheet)
    path = FOLDER / f"{name}.webp"
    duration = round(1000 / fps)
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=duration, loop=0, quality=QUALITY, method=6)
    print(f"{path}: {path.stat().st_size / 1e3:.0f} kB")


def wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    """A label in lines that are not wider than its film."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if font.getlength(longer) <= width else [*lines, word]
    return lines


if __name__ == "__main__":
    main()
