"""How a bundle was trained, in words."""

from framecast.training_descriptions import describe_training, shown

VIDEOS = {"class": "VideoFolder", "num_clips": 1, "root": "doom", "num_frames": 17, "height": 64, "width": 64, "fps": 35 / 3}
TRAINING = {
    "steps": 46,
    "batch_size": 9,
    "settings": {**VIDEOS, "class": "MixedClips", "num_clips": 1640, "seed": 0, "sources": [VIDEOS, {**VIDEOS, "exclude": []}]},
    "metrics": {"val/nats_row": 0.48},
    "data": {"clips": 1, "seconds": 239.0, "captioned": 0, "words": 1, "files": list(range(10))},
    "captions": ["a hall"],
}


def test_a_training_is_told_in_words_and_not_in_braces():
    rows = describe_training(TRAINING)
    assert rows == [
        ("training steps", "46"),
        ("training batch size", "9"),
        ("training clips", "MixedClips, 1,640 clips, 17 frames each, 64x64 pixels, 11.6667 frames/s, root doom, seed 0"),
        ("training clips", "of VideoFolder, 1 clip"),
        ("training clips", "of VideoFolder, 1 clip, exclude none"),
        ("val/nats_row", "0.48"),
        ("training data", "1 clip, 239 s of video, none with a caption, 1 different word"),
        ("files", "0, 1, 2, 3, 4, 5, 6, 7 and 2 more"),
    ]
    assert not any(set("{}[]'") & set(value) for _, value in rows)


def test_strange_values_are_shown_all_the_same():
    strange = {"settings": {"depth": {"of": [1]}}, "data": 3, "note": [{"a": 1.5}], "nothing": {}}
    assert describe_training(strange) == [("of", "1"), ("training data", "3"), ("training note", "a 1.5")]
    assert shown({"hold": 0.5, "on": {"left": 0.7}}) == "hold 0.5, on left 0.7"
