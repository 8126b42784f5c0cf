"""The report: strict JSON, and a page that is well formed, needs no other file and escapes what others wrote."""

import base64
import io
import json
import math
import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import SpriteWorld
from framecast.evaluate.figures import Curve, Figure, Sample, Section
from framecast.evaluate.page import movie
from framecast.evaluate.report import BundleResult, meets, write_report

NAN = float("nan")
EVIL = '"><script>alert(1)</script>'


class Page(HTMLParser):
    """What a page holds; fails on tags that do not match."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, self._open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if tag not in ("img", "meta"):
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open and self._open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.texts.append(data)

    def pictures(self, kind: str) -> list[bytes]:
        start = f"data:image/{kind};base64,"
        sources = [image["src"] or "" for image in self.images]
        return [base64.b64decode(source.removeprefix(start)) for source in sources if source.startswith(start)]


def figure(value=98.5, target="", name="prompts followed", **attributes) -> Figure:
    return Figure(name, value, value - 1, value + 1, 64, "%", target=target, **attributes)


def clip(num_frames: int, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 255, (num_frames, 8, 10, 3), dtype=np.uint8))


def result(name="small", *, value=98.5, **parts) -> BundleResult:
    figures = (figure(value, ">= 98 (Q2)", reference=99.5), figure(NAN, "<= 1 (Q4)", name="drift"), figure(3.0, name="no target"))
    section = Section("prompts", "Prompts", "What was asked for.", **{"figures": figures, **parts})
    return BundleResult(name, {"parameters": 1234, "model": {"width": 64}}, (section,))


def line(name="model", plot="Drift") -> Curve:
    return Curve(plot, name, (0.0, 1.0, 2.0), (1.0, NAN, 3.0), "frame", "px")


def written(folder, *results, protocol=None) -> tuple[str, dict]:
    path = write_report(folder / "report", results, protocol or {"seed": 0})
    assert sorted(file.name for file in path.parent.iterdir()) == ["index.html", "report.json"]
    strict = json.loads((path.parent / "report.json").read_text(), parse_constant=lambda name: pytest.fail(name))
    return path.read_text(encoding="utf-8"), strict


@pytest.mark.parametrize(
    ("value", "target", "expected"),
    [
        (98.0, ">= 98 (Q2)", True),
        (97.9, ">= 98 (Q2)", False),
        (1.0, "<= 1 (Q4)", True),
        (1.1, "<= 1 (Q4)", False),
        (-3.0, "<=-2.5", True),
        (0.5, ">= 1, of all clips", False),
        (0.5, "", None),
        (0.5, "high (Q2)", None),
        (0.5, ">= (Q2)", None),
        (500.0, ">= 1,000", None),  # must not be read as 1
        (NAN, ">= 98 (Q2)", None),
        (math.inf, ">= 98 (Q2)", True),
    ],
)
def test_targets(value, target, expected):
    assert meets(figure(value, target)) is expected


def test_json_is_strict_and_holds_all_but_pixels(tmp_path):
    details = {"flow": np.float32(0.5), "rows": torch.tensor([1.0, NAN]), "nested": {"worst": (math.inf, True, None, "x")}}
    found = result(curves=(line(),), samples=(Sample("a red ball", "lost", NAN, clip(3)),), details=details)
    _, record = written(tmp_path, found, protocol={"clips": 64, "seeds": (0, 1), "folder": tmp_path})
    (bundle,) = record["bundles"]
    (section,) = bundle["sections"]
    assert record["protocol"] == {"clips": 64, "seeds": [0, 1], "folder": str(tmp_path)}
    assert bundle["name"] == "small" and bundle["info"] == {"parameters": 1234, "model": {"width": 64}}
    assert section["title"] == "Prompts" and section["about"] == "What was asked for."
    assert [one["value"] for one in section["figures"]] == [98.5, None, 3.0]
    assert [one["met"] for one in section["figures"]] == [True, None, None]
    assert section["figures"][0]["reference"] == 99.5
    assert section["curves"][0]["y"] == [1.0, None, 3.0]
    assert section["samples"] == [{"label": "a red ball", "note": "lost", "badness": None}]
    assert section["details"] == {"flow": 0.5, "rows": [1.0, None], "nested": {"worst": [None, True, None, "x"]}}


def test_the_page_is_well_formed_and_needs_no_other_file(tmp_path):
    found = result(curves=(line(), line(plot="Health")), samples=(Sample("a red ball", "lost", 1.0, clip(3)),))
    text, _ = written(tmp_path, found)
    page = Page(text)
    assert "http://" not in text and "https://" not in text and "url(" not in text
    assert not {"script", "link", "iframe", "object", "video"} & set(page.tags)
    assert len(page.images) == 3 and all(image["src"].startswith("data:image/") and image["alt"] for image in page.images)
    assert text.count("src=") == 3
    assert page.tags.count("table") == page.tags.count("caption") == 4  # targets, figures, bundles, protocol


def test_verdicts_are_words(tmp_path):
    good, bad = result("good"), result("bad", value=90.0)
    text, _ = written(tmp_path, good, bad)
    texts = Page(text).texts
    assert texts.count("✓ met") == texts.count("✗ missed") == 2  # in the table of targets and in the section
    assert texts.count("○ not measured") == 4
    assert "98.5\N{NO-BREAK SPACE}%" in texts and "97.5 to 99.5" in texts and "n = 64" in texts
    assert "≥ 98 (Q2)" in texts and "true clips" in texts and "99.5\N{NO-BREAK SPACE}%" in texts


def test_a_target_that_cannot_be_read_is_not_judged(tmp_path):
    text, _ = written(tmp_path, result(figures=(figure(3.0, "as good as true clips"),)))
    assert Page(text).texts.count("? not judged") == 2


def test_movies_decode_and_long_ones_are_thinned(tmp_path):
    lengths = {1: 1, 5: 5, 66: 66, 67: 34, 140: 47}
    samples = tuple(Sample(f"{length} frames", "", -length, clip(length)) for length in lengths)
    text, _ = written(tmp_path, result(samples=samples))
    movies = [Image.open(io.BytesIO(picture)) for picture in Page(text).pictures("webp")]
    assert [getattr(movie, "n_frames", 1) for movie in movies] == list(lengths.values())
    assert {movie.size for movie in movies} == {(30, 24)}
    assert "140 frames, one in 3 shown" in text and "66 frames, one in" not in text
    movies[1].seek(1)
    movies[1].load()
    assert movies[1].info["duration"] == 83


def test_movies_play_at_the_rate_of_their_bundle(tmp_path):
    clip = Sample("noise", "", 0.0, torch.randint(256, (3, 8, 10, 3), dtype=torch.uint8))
    for fps, milliseconds in ((24.0, 42), (6.0, 167)):
        text = written(tmp_path, replace(result(samples=(clip,)), fps=fps))[0]
        (movie,) = [Image.open(io.BytesIO(picture)) for picture in Page(text).pictures("webp")]
        movie.seek(1)
        movie.load()
        assert movie.info["duration"] == milliseconds


def test_movies_show_the_frames(tmp_path):
    frames = SpriteWorld(num_frames=9)[0].frames
    text, _ = written(tmp_path, result(samples=(Sample("", "", 0.0, frames),)))
    movie = Image.open(io.BytesIO(Page(text).pictures("webp")[0]))
    movie.seek(movie.n_frames - 1)
    shown = np.asarray(movie.convert("RGB"))[1::3, 1::3].astype(float)
    assert np.abs(shown - frames[-1].numpy()).mean() < 3
    assert np.abs(shown - frames[0].numpy()).mean() > 3  # frames differ by more than the loss


def test_frames_of_another_type_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"frames are float32 \[3, 8, 10, 3\]; wanted uint8"):
        write_report(tmp_path, [result(samples=(Sample("", "", 0.0, clip(3).float()),))], {})


def test_the_worst_come_first_and_only_twelve(tmp_path):
    badness = [3.0, NAN, 9.0, 5.0, *([0.0] * 10)]
    samples = tuple(Sample(f"clip {index}", f"off by {bad}", bad, clip(2, index)) for index, bad in enumerate(badness))
    text, _ = written(tmp_path, result(samples=samples))
    alts = [image["alt"] for image in Page(text).images]
    assert len(alts) == 12
    assert [alt.split(": ")[1] for alt in alts[:4]] == ["clip 2", "clip 3", "clip 0", "clip 4"]
    assert "clip 1:" not in text and "off by nan" not in text  # where nothing was measured, nothing is bad


def test_two_bundles_side_by_side(tmp_path):
    first = result("first", curves=(line(),), samples=(Sample("one", "", 1.0, clip(2)),))
    only_there = Curve("Only there", "model", (0.0, 1.0, 2.0), (NAN, 2.0, NAN), "frame", "px")
    second = result("second", curves=(line(), only_there))
    extra = Section("speed", "Speed", "How fast.", (figure(20.0, name="frames a second", target=">= 12 (Q7)"),))
    second = BundleResult(second.name, {"parameters": 5678}, (*second.sections, extra))
    text, record = written(tmp_path, first, second)
    page = Page(text)
    assert [bundle["name"] for bundle in record["bundles"]] == ["first", "second"]
    alts = [image["alt"] for image in page.images]
    assert len(alts) == 3, alts  # two plots and one clip
    assert "first: model goes from 1 to 3; second: model goes from 1 to 3" in alts[0]
    assert "first: " not in alts[1] and "second: model goes from 2 to 2" in alts[1]
    assert page.texts.count("Speed") == 3  # in the list of parts, in the table of targets, as a heading
    assert "No clips." in page.texts and "1234" in page.texts and "5678" in page.texts and "model.width" in page.texts


def test_what_others_wrote_is_escaped(tmp_path):
    section = Section(
        EVIL, EVIL, EVIL, (figure(target=EVIL, name=EVIL),), (line(EVIL, plot=EVIL),), (Sample(EVIL, EVIL, 1.0, clip(2)),)
    )
    found = BundleResult(EVIL, {EVIL: EVIL}, (section,))
    text, _ = written(tmp_path, found, found, protocol={EVIL: {EVIL: [EVIL, {EVIL: 1}]}})
    page = Page(text)
    assert "script" not in page.tags and "<script" not in text
    assert EVIL in page.texts


def test_odd_text_in_plots_and_prompts(tmp_path):
    odd = "half \ud83d and $\\frac{1}$"
    text, _ = written(tmp_path, result(curves=(line("$\\frac{1}$"),), samples=(Sample(odd, "", 0.0, clip(1)),)))
    assert "half &#55357; and $\\frac{1}$" in text


def test_the_protocol_is_flat(tmp_path):
    protocol = {"clips": {"count": 64, "sizes": (64, 32), "none": {}}, "deep": {"a": {"b": [{"c": NAN}]}}}
    texts = Page(written(tmp_path, result(), protocol=protocol)[0]).texts
    for key, value in {"clips.count": "64", "clips.sizes": "64, 32", "clips.none": "{}", "deep.a.b": '[{"c": null}]'}.items():
        assert texts[texts.index(key) + 1] == value


def test_without_matplotlib_the_numbers_are_kept(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ValueError, match=r"plots need matplotlib; install it with `pip install '.\[evaluate\]'`"):
        write_report(tmp_path, [result(curves=(line(),))], {})
    assert [file.name for file in tmp_path.iterdir()] == ["report.json"]
    write_report(tmp_path, [result()], {})  # nothing to plot


def test_no_results_are_refused(tmp_path):
    with pytest.raises(ValueError, match="got no results; a report wants at least one bundle"):
        write_report(tmp_path, [], {})


def test_headlines_come_first_and_without_targets_none_are_spoken_of(tmp_path):
    figures = (figure(20.5, name="PSNR", headline=True), figure(3.0, name="other"))
    page, report = written(tmp_path, result(figures=figures))
    assert page.index("In short: the figures that say most") < page.index("PSNR") < page.index("What was asked for")
    assert "No figure has a target" not in page
    assert [item["headline"] for item in report["bundles"][0]["sections"][0]["figures"]] == [True, False]
    assert "No figure has a target" in written(tmp_path, result(figures=figures[1:]))[0]


def test_what_was_done_may_have_several_paragraphs(tmp_path):
    one = replace(result().sections[0], about="First.\nSecond.")
    page, _ = written(tmp_path, replace(result(), sections=(one,)))
    assert "<p>First.</p><p>Second.</p>" in page
    other = replace(result("other"), sections=(replace(one, about="Third.\nSecond."),))
    page, _ = written(tmp_path, replace(result(), sections=(one,)), other)
    assert "<strong>small: </strong>First.</p><p><strong>other: </strong>Third.</p><p>Second.</p>" in page


def test_a_wide_clip_is_kept_small_and_enlarged_by_the_browser():
    wide = Sample("wide", "", 0.0, torch.zeros(3, 8, 196, 3, dtype=torch.uint8))
    page = Page(movie(wide))
    assert Image.open(io.BytesIO(page.pictures("webp")[0])).size == (196, 8)
    assert (page.images[0]["width"], page.images[0]["height"]) == ("588", "24")


def test_charts_come_before_tables_and_clips_last(tmp_path):
    page, _ = written(tmp_path, result(curves=(line(),), samples=(Sample("a red ball", "lost", 1.0, clip(3)),)))
    part = page[page.index('id="section-1"') :]
    assert part.index("image/svg+xml") < part.index("<table") < part.index("image/webp")


def test_figures_of_a_grid_are_a_table_of_two_ways(tmp_path):
    def at(row, column, value, target=""):
        return replace(figure(value, target, name=f"{row} {column}"), grid=("PSNR by horizon", row, column))

    figures = (at("dreamt", "1 frame", 41.5), at("dreamt", "16 frames", 42.5, ">= 3 (W2)"), at("true", "16 frames", 43.5))
    page, record = written(tmp_path, result(figures=figures))
    texts = [each.replace("\N{NO-BREAK SPACE}", " ") for each in Page(page).texts]
    texts = texts[texts.index("What was asked for.") : texts.index("Bundles", texts.index("What was asked for."))]
    assert (
        texts.index("1 frame") < texts.index("16 frames") < texts.index("dreamt") < texts.index("41.5 %") < texts.index("42.5 %")
    )
    assert texts.index("42.5 %") < texts.index("true") < texts.index("–") < texts.index("43.5 %")
    assert "target ≥ 3 (W2)" in texts and texts.count("✓ met") == 1
    assert "dreamt 16 frames" in page, "in the table of targets it has its whole name"
    assert record["bundles"][0]["sections"][0]["figures"][0]["grid"] == ["PSNR by horizon", "dreamt", "1 frame"]
    two = written(tmp_path, result("one", figures=figures), result("other", figures=figures))[0]
    assert "PSNR by horizon: one" in two and "PSNR by horizon: other" in two


def test_sheets_are_kept_beside_the_report(tmp_path):
    sheet = Sample("seed 1", "every 100th frame", 0.0, clip(1), "drift-01.png")
    write_report(tmp_path, [result(samples=(sheet,))], {})
    assert np.array_equal(np.asarray(Image.open(tmp_path / "drift-01.png")), sheet.frames[0].numpy())
    (kept,) = json.loads((tmp_path / "report.json").read_text())["bundles"][0]["sections"][0]["samples"]
    assert kept["file"] == "drift-01.png"
    write_report(tmp_path / "two", [result(samples=(sheet,)), result("other", samples=(sheet,))], {})
    assert {path.name for path in (tmp_path / "two").glob("*.png")} == {"1-drift-01.png", "2-drift-01.png"}
