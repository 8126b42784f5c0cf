"""How much of each file is read, and how it is cut."""

import odd_videos as odd
import pytest

from framecast.train.own import cutting
from framecast.train.own.cutting import _most_of_each
from framecast.train.own.settings import OwnSettings
from framecast.train.own.sizes import NUM_FRAMES
from framecast.train.own.videos import held_out_clips, look, training_clips
from framecast.train.own.words import say_found


@pytest.mark.parametrize(
    ("hours", "most", "each"),
    [
        ([1.0, 2.0], 3.0, None),
        ([10.0], 4.0, 4.0),
        ([1.0, 10.0, 10.0], 7.0, 3.0),
        ([0.0, 9.0], 5.0, 5.0),
        ([0.01] * 900, 1.0, 120 / 3600),
    ],
)
def test_long_files_give_what_short_ones_leave(hours, most, each):
    limit = _most_of_each([3600 * length for length in hours], 3600 * most)
    assert limit == (None if each is None else pytest.approx(3600 * each))


def test_of_long_files_no_more_is_read_than_a_run_can_use(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cutting, "_WANTED_CLIPS", 12)
    monkeypatch.setattr(cutting, "_LEAST_SECONDS", 2.0)
    odd.write(tmp_path / "short.mkv", odd.moving(48, 1))
    for number in range(2):
        odd.write(tmp_path / f"long_{number}.mkv", odd.moving(700, 2 + number))
    settings = OwnSettings(videos=str(tmp_path), size=32, hold_out="long_1.mkv")
    found = look(settings)
    wanted = 12 * NUM_FRAMES / settings.fps
    assert found.cut.seconds_per_file == round((wanted - 4) / 2)  # the short one has 4 s
    assert found.files["long_0.mkv"] < 8 < 700 // NUM_FRAMES
    trained, held = training_clips(settings, found), held_out_clips(settings, found)
    assert len(trained) == found.num_train_clips and len(held) < 8
    say_found(settings, found)
    assert "in 2 long files read, spread over them" in " ".join(capsys.readouterr().out.split())
    assert found.of_plain(found.plain()) == found
