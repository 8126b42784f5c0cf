"""What the model cannot show is said in plain sentences, and nothing else is."""

import pytest
import tiny_bundle
import torch

import framecast
from framecast.data import SpriteWorld
from framecast.sample import VideoGenerator
from framecast.serve.engine.notes import MOST_WORDS, known_words, meant, opening, picture_notes, prompt_notes
from framecast.tokenizer import TextTokenizer


def test_words_of_the_training_are_known():
    generator = tiny_bundle.generator()
    assert known_words(generator) == sorted("a blue circle falls moves red right ring square up".split())
    assert prompt_notes(generator, "a blue ring falls; at 2s a square moves right") == []
    assert prompt_notes(generator, "A RED ring falls.") == []
    assert "," not in known_words(framecast.load_generator())


def test_who_says_nothing_means_the_only_caption_or_nothing():
    parts = (tiny_bundle.tokenizer(), tiny_bundle.lm(), tiny_bundle.text_tokenizer(), 16, 24, 12.0)
    silent, rings = (VideoGenerator(*parts, caption=caption) for caption in ("", "a ring falls"))
    assert meant(silent, opening(silent)) is None and meant(silent, "a square") == "a square"
    assert opening(rings) == meant(rings, "a ring falls") == "a ring falls"


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        ("a dragon falls", "“dragon”:"),
        ([(0, "a dragon"), (1, "an elf"), (2, "a dragon")], "“dragon”, “an” and “elf”:"),
        ("one two three four five six seven", "“one”, “two”, “three”, “four”, “five” and 2 other words:"),
    ],
)
def test_unknown_words_are_named_once(prompt, words):
    (note,) = prompt_notes(tiny_bundle.generator(), prompt)
    assert note.startswith(f"This model does not know {words}")


def test_many_words_or_none_are_not_listed():
    class Known:
        text_tokenizer = TextTokenizer(tiny_bundle.text_tokenizer().model_bytes, (str(i) for i in range(MOST_WORDS + 1)))

    assert known_words(Known()) is None
    Known.text_tokenizer = TextTokenizer(tiny_bundle.text_tokenizer().model_bytes)
    assert known_words(Known()) is None


def test_the_shipped_model_says_what_it_cannot_redraw():
    generator, world = framecast.load_generator(), SpriteWorld(num_clips=20, seed=5)
    assert all(picture_notes(generator, world[index].frames[:1]) == [] for index in range(20))
    rows, columns = torch.meshgrid(torch.arange(64), torch.arange(64), indexing="ij")
    sky = torch.stack([rows * 3, columns * 2, 255 - rows * 3], -1).to(torch.uint8)[None]
    (note,) = picture_notes(generator, sky)
    assert note.startswith("This model redraws your picture only roughly (1") and "your own videos" in note
