"""Looks at what a training makes: moving pictures and sheets in files, a small picture for the card."""

import io
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from framecast.sample.bundle_folder import MAX_PICTURE
from framecast.train.looks import Column, Looker, last_picture, sheet_of, side_by_side, small_jpeg


def column(title: str, num_clips: int, length: int = 5, value: int = 200) -> Column:
    clips = [torch.full((length, 48, 32, 3), value, dtype=torch.uint8) for _ in range(num_clips)]
    return Column(title, clips, [f"{title} {number}" for number in range(num_clips)])


def run(folder, step: int = 200) -> SimpleNamespace:
    return SimpleNamespace(default_root_dir=str(folder), global_step=step, fast_dev_run=False)


def test_a_look_is_kept_in_files_and_for_the_card(tmp_path):
    looker = Looker()
    path = looker.keep(run(tmp_path), [[column("true", 2), column("continued", 2)], [column("by prompt", 1)]], fps=12.0)
    assert path == tmp_path / "samples" / "step_000200.webp"
    with Image.open(path) as moving, Image.open(path.with_suffix(".png")) as sheet:
        assert moving.n_frames == 1 or moving.n_frames == 5  # grey clips do not move
        assert sheet.size[1] > sheet.size[0] / 4
    assert looker.picture.startswith(b"\xff\xd8\xff")
    assert last_picture(SimpleNamespace(callbacks=[Looker(), looker])) == looker.picture


def test_clips_stand_in_columns_as_long_as_the_longest():
    canvas = side_by_side([column("true", 2, length=5, value=10), column("other", 1, length=3, value=90)])
    assert canvas.shape == (5, 18 + 2 * (48 * 3 + 4), 2 * (32 * 3 + 4), 3)
    assert (canvas[:, 18 : 18 + 144, :96] == 10).all() and (canvas[4, 18 : 18 + 144, 100:196] == 90).all()
    assert (canvas[:, 18 + 148 :, 100:] == 255).all()  # nothing below the second one


def test_a_sheet_has_what_belongs_together_below_each_other(monkeypatch):
    seen = []
    monkeypatch.setattr("framecast.train.looks.contact_sheet", lambda rows, labels, **_: seen.extend(labels))
    sheet_of([[column("true", 2), column("ours", 2)], [column("prompt", 1)]])
    assert seen == ["true 0", "ours 0", "true 1", "ours 1", "prompt 0"]


def test_any_picture_becomes_a_small_one():
    noise = torch.randint(256, (1500, 900, 3), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    small = small_jpeg(Image.fromarray(noise.numpy()))
    assert len(small) <= MAX_PICTURE
    assert Image.open(io.BytesIO(small)).size[0] < 900


def test_a_look_that_cannot_be_written_does_not_end_the_training(tmp_path):
    (tmp_path / "samples").write_text("in the way")
    with pytest.warns(UserWarning, match="the training goes on without a look at its samples"):
        Looker().keep(run(tmp_path), [[column("true", 1)]], fps=12.0)
