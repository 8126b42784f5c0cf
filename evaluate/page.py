"""Pieces of a page that needs no other file: escaped elements, tables, plots and moving pictures as data URIs."""

import base64
import io
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from PIL import Image

from ..data.images import check_frames
from .figures import Curve, Sample

_VOID = frozenset({"img", "meta"})  # elements without an end tag
_SCALE = 3
_WIDE = 128  # pixels; wider clips are enlarged by the browser, since they would make the page as large as a film
_MOST_FRAMES = 66
_LEAST_WIDTH = 192  # pixels of the screen, for the text under a clip
_QUALITY = 90  # without loss, the faint noise of a decoder makes files ten times as large
_LINES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#b8860b", "#4d4d4d")  # for the colour-blind too
_DASHES = ("-", "--", ":", "-.")
_PLOT_STYLE: dict[Any, Any] = {
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), "#1b1f24"),
    "font.size": 9.5,
    "text.parse_math": False,  # a "$" in a name is a "$"
    "svg.hashsalt": "framecast",  # the same file each time
}
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #fff; --ink: #1b1f24; --soft: #5c6570; --line: #dfe2e6;
  --good: #11703a; --bad: #b3261e; --link: #0b62a3; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171b; --card: #1b1f25; --ink: #e7e9ec; --soft: #9aa4b0;
  --line: #30363e; --good: #62cc8b; --bad: #ff8a80; --link: #7cbcf0; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 5rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; overflow-wrap: break-word; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.35rem; line-height: 1.3; margin: 3.5rem 0 .4rem; padding-top: 1.2rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 2rem 0 .6rem; }
h4 { font-size: .95rem; margin: 0 0 .6rem; color: var(--soft); }
p { max-width: 44rem; margin: .4rem 0 1rem; }
a { color: var(--link); }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; margin: 0 0 1.6rem; padding: 0; list-style: none; }
small { display: block; color: var(--soft); font-size: .8rem; font-weight: normal; line-height: 1.4; }
.scroll { overflow-x: auto; margin: 1rem 0 1.5rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
caption { padding: .6rem .9rem; text-align: left; color: var(--soft); font-size: .85rem; }
th, td { padding: .5rem .9rem; text-align: left; vertical-align: top; border-top: 1px solid var(--line); }
thead th { font-size: .85rem; color: var(--soft); vertical-align: bottom; }
tbody th { font-weight: 500; min-width: 11rem; max-width: 26rem; }
td { min-width: 8rem; }
@media (max-width: 40rem) { th, td { padding: .4rem .5rem; } tbody th { min-width: 7.5rem; } td { min-width: 5rem; }
  td .met, td .missed, td .open { display: block; margin-left: 0; } }
.met, .missed, .open { font-size: .85rem; font-weight: 600; white-space: nowrap; margin-left: .6rem; }
.met { color: var(--good); } .missed { color: var(--bad); } .open { color: var(--soft); font-weight: normal; }
figure { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.2rem; }
.plots figcaption { font-weight: 500; margin-bottom: .3rem; }
.plots img { display: block; width: 100%; max-width: 46rem; height: auto; background: #fff; border: 1px solid var(--line);
  border-radius: 8px; }
.columns { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(13rem, 1fr); gap: 1.5rem; overflow-x: auto; }
.clips { display: flex; flex-wrap: wrap; gap: 1.2rem; align-items: flex-start; }
.clips figure { max-width: 100%; }
.clips img { display: block; max-width: 100%; height: auto; border-radius: 4px; image-rendering: pixelated; }
.clips figcaption { margin-top: .35rem; font-size: .85rem; line-height: 1.4; }
"""


class Html(str):
    """What is HTML already; any other text is escaped when it becomes part of an element."""


def element(tag: str, *children: str, **attributes: object) -> Html:
    """An element around its children; text is escaped. `class_` stands for `class`, `http_equiv` for `http-equiv`."""
    written = "".join(f' {name.rstrip("_").replace("_", "-")}="{escape(str(value))}"' for name, value in attributes.items())
    if tag in _VOID:
        return Html(f"<{tag}{written}>")
    return Html(f"<{tag}{written}>{joined(children)}</{tag}>")


def joined(children: Iterable[str]) -> Html:
    """Pieces one after the other; text is escaped."""
    return Html("".join(child if isinstance(child, Html) else escape(child) for child in children))


def document(title: str, body: Iterable[str]) -> str:
    """A whole page; browsers that open it may load nothing from elsewhere and run nothing."""
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", title),
        element("style", Html(STYLE)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, element('body', element('main', *body)), lang='en')}\n"


def table(caption: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Html:
    """A table that scrolls sideways if the screen is narrow; the first column heads the rows."""
    head = element("tr", *(element("th", column, scope="col") for column in columns))
    lines = [element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows]
    content = element("table", element("caption", caption), element("thead", head), element("tbody", *lines))
    return element("div", content, class_="scroll", role="region", aria_label=caption, tabindex=0)


def movie(sample: Sample, fps: float = 12.0) -> Html:
    """A clip as an animated WebP at its own rate, three times as large, with its label and note underneath.

    Of a clip that is longer than 66 frames, each second, third, ... frame is shown. WebP keeps frames that do not differ as one.

    Args:
        sample: The clip.
        fps: Frames per second; of a clip that is longer than 66 frames, those that are shown.

    Raises:
        ValueError: If the frames are not uint8 `[T, H, W, 3]`, or the rate is not above 0.
    """
    frames = check_frames(sample.frames, fps)
    every = math.ceil(len(frames) / _MOST_FRAMES)
    width, height = frames.shape[2] * _SCALE, frames.shape[1] * _SCALE
    kept = (width, height) if frames.shape[2] <= _WIDE else (frames.shape[2], frames.shape[1])
    pictures = [Image.fromarray(frame).resize(kept, Image.Resampling.NEAREST) for frame in frames[::every]]
    buffer = io.BytesIO()
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], quality=_QUALITY, duration=round(1000 / fps), loop=0
    )

    alt = f"Clip of {len(frames)} frames: {sample.label}"
    notes = [sample.note, f"{len(frames):,} frames, one in {every} shown" if every > 1 else ""]
    return element(
        "figure",
        element("img", src=_data_uri("webp", buffer.getvalue()), alt=alt, width=width, height=height),
        element("figcaption", sample.label, *(element("small", note) for note in notes if note)),
        style=f"width: {max(width, _LEAST_WIDTH)}px",
    )


def plot(curves: Sequence[Curve], groups: Sequence[int]) -> Html:
    """All lines of one plot as a picture, with the title of the plot above it.

    Args:
        curves: At least one; the axes are called as the first one says.
        groups: A number for each curve, 0, 1, ...; those of a group are dashed alike.

    Raises:
        ValueError: If matplotlib is not installed.
    """
    first = curves[0]
    finite = [(curve.name, [value for value in curve.y if math.isfinite(value)]) for curve in curves]
    ends = [f"{name} goes from {values[0]:.3g} to {values[-1]:.3g}" for name, values in finite if values]
    alt = f"Plot of {first.y_label} over {first.x_label}: {'; '.join(ends) or 'no values'}."
    picture = element("img", src=_data_uri("svg+xml", _draw(curves, groups)), alt=alt)
    return element("figure", element("figcaption", first.plot), picture)


def _draw(curves: Sequence[Curve], groups: Sequence[int]) -> bytes:
    try:
        import matplotlib  # not needed but here, and importing it takes a second
        from matplotlib.figure import Figure as Canvas
    except ImportError as error:
        raise ValueError("plots need matplotlib; install it with `pip install '.[evaluate]'`") from error
    with matplotlib.rc_context(_PLOT_STYLE):
        canvas = Canvas(figsize=(7.2, 3.8), layout="constrained", facecolor="white")
        axes = canvas.add_subplot(xlabel=curves[0].x_label, ylabel=curves[0].y_label)
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(color="#e6e8eb", linewidth=0.7)
        for index, (curve, group) in enumerate(zip(curves, groups, strict=True)):
            colour, dashes = _LINES[index % len(_LINES)], _DASHES[group % len(_DASHES)]
            marker = "o" if len(curve.x) <= 16 else ""
            axes.plot(curve.x, curve.y, dashes, color=colour, marker=marker, markersize=3.5, linewidth=1.7, label=curve.name)
        columns = 2 if max(len(curve.name) for curve in curves) <= 40 else 1
        canvas.legend(loc="outside upper left", ncols=columns, frameon=False)
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
