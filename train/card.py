"""The model card of a bundle: what it was trained on and with, what it reaches, how it is used, and on what terms."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..data.actions import ActionSpace
from ..sample.bundle_folder import PICTURE
from .description import in_words, innermost

NO_LICENCE = "No licence was given: ask the author before you use it."
_IDENTIFIER = r"[A-Za-z0-9][A-Za-z0-9.+-]*"  # of SPDX
_LONGEST_TITLE, _LONGEST_LICENCE = 120, 20_000

_FIGURES = (
    ("val/psnr", "Reconstructs clips that it was not trained on with", "dB"),
    ("val/one_colour_psnr", "One colour for each token, for comparison, has", "dB"),
    ("val/continuation_psnr", "Continues clips that it was not trained on, over the first second, with", "dB"),
    ("val/repeat_psnr", "Repeating the last frame, for comparison, has", "dB"),
    ("val/nats_row", "Predicts their tokens, a row at a time, with a loss of", "nats a token"),
    ("val/nats_row_other_actions", "Given another clip's actions, for comparison, it has", "nats a token"),
    ("codebook/usage", "Codes in use:", "%"),
)
"""What a card says of each figure, in this order."""


@dataclass(frozen=True)
class Terms:
    """Title and licence of a bundle, as its author gives them."""

    title: str | None = None
    """One line; None names what it was trained on."""
    licence: str | None = None
    """An SPDX identifier such as `Apache-2.0`, or a text; None says on the card that there is none."""

    def __post_init__(self) -> None:
        for name, most in (("title", _LONGEST_TITLE), ("licence", _LONGEST_LICENCE)):
            value = getattr(self, name)
            if not isinstance(value, str | None):
                raise ValueError(f"got the {name} {value!r}; wanted a text, or None")
            if value is not None and not (value.strip() and len(value) <= most):
                raise ValueError(
                    f"got a {name} of {len(value)} characters; wanted 1 to {most}, some of them visible; leave it out"
                )
        if self.title is not None and len(self.title.splitlines()) > 1:
            raise ValueError(f"got the title {self.title[:40]!r}...; wanted one line; say the rest with `--export.card`")


def model_card(
    training: Mapping[str, Any],
    video: Mapping[str, float],
    is_lm: bool,
    text: str = "",
    picture: bool = False,
    space: ActionSpace | None = None,
) -> str:
    """The card, as Markdown with the front matter of Hugging Face.

    Args:
        training: How the bundle was made, as it keeps that; what an older one does not say is left out.
        video: `height`, `width` and `fps`.
        is_lm: Whether there is a video LM, or a tokenizer alone.
        text: What the author says, Markdown; it comes first.
        picture: Whether the bundle has a picture.
        space: What can be done, if the bundle is a world.
    """
    licence = training.get("licence")
    blocks = [
        _front_matter(licence, is_lm),
        f"# {training.get('title') or _title(training, is_lm)}",
        text.strip(),
        _caption(is_lm) if picture else "",
        _section("Data", _data_lines(training, video, space)),
        _section("Training", _training_lines(training)),
        _section("Figures", _figure_lines(training.get("metrics", {}))),
        _use(is_lm, training, space),
        f"## Licence\n\n{licence.strip() if licence else NO_LICENCE}",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _front_matter(licence: str | None, is_lm: bool) -> str:
    named = "unknown" if licence is None else licence.lower() if re.fullmatch(_IDENTIFIER, licence) else "other"
    tags = ["framecast", "video-generation" if is_lm else "video-tokenizer"]
    task = ["pipeline_tag: text-to-video"] if is_lm else []
    rows = ["---", f"license: {named}", "library_name: framecast", *task, "tags:", *(f"- {tag}" for tag in tags), "---"]
    return "\n".join(rows)


def _title(training: Mapping[str, Any], is_lm: bool) -> str:
    settings = innermost(training.get("settings", {}))
    return f"A video {'generator' if is_lm else 'tokenizer'} of {settings.get('root') or training.get('source', 'video')}"


def _caption(is_lm: bool) -> str:
    words = "true clips above what it continues them to, and clips of prompts" if is_lm else "clips above their reconstructions"
    return f"![{words}]({PICTURE})"


def _section(name: str, lines: Iterator[str]) -> str:
    rows = [f"- {line}" for line in lines]
    return "\n".join([f"## {name}\n", *rows]) if rows else ""


def _data_lines(training: Mapping[str, Any], video: Mapping[str, float], space: ActionSpace | None) -> Iterator[str]:
    settings, data = training.get("settings", {}), training.get("data", {})
    kind = innermost(settings).get("class", training.get("source", "clips"))
    yield f"Kind: {kind}{' in ' + settings['class'] if settings.get('class', kind) != kind else ''}."
    size = f"{video['height']:g}x{video['width']:g} pixels at {video['fps']:g} frames/s"
    if "clips" in data:
        length = f"{training['num_frames']} frames each, " if "num_frames" in training else ""
        yield f"{data['clips']:,} clips, {length}{in_words(data['seconds'])} of video, {size}."
    else:
        yield f"{size}."
    if data.get("captioned"):
        yield f"Captions: {data['captioned']:,} clips have one, with {data['words']:,} different words in all."
    elif "captioned" in data:
        yield "Captions: none."
    if space is not None:
        yield f"Actions: {_named(space)}."


def _named(space: ActionSpace) -> str:
    """The buttons and axes of a world, and the keys that hold them."""
    buttons = [button.name + (f" ({button.key})" if button.key else "") for button in space.buttons]
    axes = [f"{axis.name} from {axis.low:g} to {axis.high:g}" for axis in space.axes]
    return ", ".join(buttons + axes)


def _training_lines(training: Mapping[str, Any]) -> Iterator[str]:
    if "steps" in training:
        batch = f" of {training['batch_size']:,} clips" if "batch_size" in training else ""
        took = f" in {in_words(training['seconds'])}" if "seconds" in training else ""
        yield f"{training['steps']:,} steps{batch}{took}."
    if "machine" in training:
        yield f"On {training['machine']}, with precision {training['precision']}."


def _figure_lines(metrics: Mapping[str, float]) -> Iterator[str]:
    for name, words, unit in _FIGURES:
        if name in metrics:
            value = 100 * metrics[name] if unit == "%" else metrics[name]
            yield f"{words} {value:.3g} {unit}."


def _use(is_lm: bool, training: Mapping[str, Any], space: ActionSpace | None) -> str:
    if is_lm and space is not None:
        lines = ["framecast play FOLDER_OF_THIS_BUNDLE", "framecast info FOLDER_OF_THIS_BUNDLE"]
    elif is_lm:
        captioned = training.get("data", {}).get("captioned", 1)
        options = ", params=framecast.SamplingParams(guidance_scale=0)" if not captioned else ""
        prompt = "a video" if not captioned else "WHAT THE VIDEO SHOWS"
        last = f'generator.generate("{prompt}", num_frames=33{options}).save("clip.mp4")'
        lines = ["import framecast", 'generator = framecast.load_generator("FOLDER OF THIS BUNDLE")', last]
    else:
        lines = ["framecast encode video.mp4 --bundle FOLDER_OF_THIS_BUNDLE --out tokens.fct"]
        lines.append("framecast decode tokens.fct --bundle FOLDER_OF_THIS_BUNDLE --out decoded.mp4")
    return "\n".join(["## Use\n", f"```{'python' if is_lm and space is None else 'bash'}", *lines, "```"])
