"""Contact sheets."""

import numpy as np
import pytest
import torch
from PIL import Image

from framecast.data import contact_sheet
from framecast.data.sheets import is_sheet, save_sheet

RED, BLUE = (255, 0, 0), (0, 0, 255)


def plain(colour, num_frames: int = 4, height: int = 20, width: int = 30) -> np.ndarray:
    return np.broadcast_to(np.array(colour, np.uint8), (num_frames, height, width, 3)).copy()


def count(sheet: Image.Image, colour) -> int:
    return int((np.asarray(sheet) == colour).all(-1).sum())


@pytest.mark.parametrize(("every", "shown"), [(1, 4), (2, 2), (3, 2), (4, 1)])
@pytest.mark.parametrize("scale", [1, 2])
def test_a_sheet_shows_every_frame_of_every_row(every, shown, scale):
    rows = [plain(RED), torch.from_numpy(plain(BLUE, height=10))]
    sheet = contact_sheet(rows, labels=["red", "a blue one"], every=every, scale=scale)
    assert count(sheet, RED) == shown * 20 * 30 * scale**2
    assert count(sheet, BLUE) == shown * 10 * 30 * scale**2
    red = np.argwhere((np.asarray(sheet) == RED).all(-1))
    blue = np.argwhere((np.asarray(sheet) == BLUE).all(-1))
    assert red[:, 0].max() < blue[:, 0].min()  # rows in order
    assert red[:, 1].min() == blue[:, 1].min()  # columns in line


def test_frame_numbers_and_labels_are_drawn():
    rows = [plain(RED, 2, 40, 40)]
    assert (np.asarray(contact_sheet(rows))[:10] < 100).any()
    labelled = contact_sheet(rows, labels=["a label that is much wider than both of the frames are"])
    assert labelled.height > contact_sheet(rows).height and labelled.width > contact_sheet(rows).width


def test_rows_may_differ_in_length():
    sheet = contact_sheet([plain(RED, 1), plain(BLUE, 12)])
    assert (count(sheet, RED), count(sheet, BLUE)) == (600, 7200)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rows": []}, "got no rows; a contact sheet wants at least one video"),
        ({"rows": [plain(RED)[0]]}, r"frames are uint8 \[20, 30, 3\]; wanted uint8 \[T, H, W, 3\]"),
        ({"labels": ["a", "b"]}, "got 2 labels for 1 rows"),
        ({"every": 0}, "every is 0"),
        ({"scale": 0}, "scale is 0"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        contact_sheet(**{"rows": [plain(RED)], **options})


@pytest.mark.parametrize(("length", "columns"), [(1, 1), (2, 2), (9, 9), (10, 5), (33, 9), (65, 9), (400, 8)])
def test_a_sheet_of_its_own_choice_has_at_most_nine_columns(tmp_path, length, columns):
    save_sheet(tmp_path / "x.sheet.png", [plain(RED, length, 16, 16)], ["red"], "a note")
    assert count(Image.open(tmp_path / "x.sheet.png"), RED) == columns * 128 * 128


def test_a_name_asks_for_a_sheet():
    assert is_sheet("a/x.sheet.png") and is_sheet(".Sheet.PNG") and not is_sheet("x.png") and not is_sheet("sheet.png")
