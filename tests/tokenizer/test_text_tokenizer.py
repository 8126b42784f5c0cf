"""`TextTokenizer`: any text has ids, ids have their text, and prompts end."""

import pytest
import torch

from framecast.tokenizer import TextTokenizer

CAPTIONS = [
    f"a {size} {colour} circle moves {way}"
    for size in ("small", "large")
    for colour in ("red", "blue")
    for way in ("left", "right, then stops", "up and left")
]


@pytest.fixture(scope="module")
def text() -> TextTokenizer:
    return TextTokenizer.train(CAPTIONS, vocab_size=320)


@pytest.mark.parametrize("prompt", [*CAPTIONS[:3], "a zebra", "naïve 日本 🎈", "x" * 30])
def test_any_text_comes_back(text, prompt):
    ids = text.encode(prompt, max_length=200)
    assert ids[-1] == text.eos_id and text.eos_id not in ids[:-1] and text.pad_id not in ids
    assert 0 <= min(ids) and max(ids) < text.vocab_size
    assert text.decode(ids) == prompt


def test_a_common_word_is_one_id():
    text = TextTokenizer.train(CAPTIONS, vocab_size=512)
    for caption in CAPTIONS:
        assert len(text.encode(caption, max_length=48)) <= len(caption.replace(",", " ,").split()) + 1


def test_batch_pads_and_the_empty_text_is_the_null_prompt(text):
    batch = text.batch([CAPTIONS[0], "", "a red circle"], max_length=48)
    assert batch.dtype == torch.int64 and batch.shape == (3, len(text.encode(CAPTIONS[0], 48)))
    assert batch[0].tolist() == text.encode(CAPTIONS[0], 48)
    assert batch[1].tolist() == [text.eos_id] + [text.pad_id] * (batch.shape[1] - 1)
    assert text.decode(batch[2].tolist()) == "a red circle"


def test_training_repeats_and_its_bytes_rebuild_it(text):
    assert TextTokenizer.train(CAPTIONS[::-1] + CAPTIONS, vocab_size=320).model_bytes == text.model_bytes
    again = TextTokenizer(text.model_bytes)
    assert again.vocab_size == text.vocab_size
    assert again.encode(CAPTIONS[5], 48) == text.encode(CAPTIONS[5], 48)


@pytest.mark.parametrize(
    "typed", ["A Small RED Circle", "a small red circle.", ' "a small red circle" ', "ａ Ｓｍａｌｌ red circle"]
)
def test_a_text_is_folded_to_what_the_captions_were(text, typed):
    assert text.encode(typed, 48) == text.encode("a small red circle", 48)
    assert text.fold("a small red circle, then stops") == "a small red circle, then stops"


def test_case_that_the_captions_had_is_kept():
    cased = TextTokenizer.train(["A dog runs.", "Rex sleeps"], vocab_size=400)
    assert cased.encode("Rex runs", 48) != cased.encode("rex runs", 48) != cased.encode("rex runs.", 48)
    assert cased.unseen("A dog runs. REX") == ["REX"]
    upper = TextTokenizer.train(["A DOG RUNS"], vocab_size=400)
    assert upper.encode("a dog runs", 48) == upper.encode("A DOG RUNS", 48)


def test_unseen_words_are_found(text):
    assert text.unseen("a Purple dog, then — a red circle") == ["purple", "dog", "—"]
    assert [word for caption in CAPTIONS for word in text.unseen(caption.upper())] == []
    assert text.learned(["a purple dog"]).unseen("a purple cat") == ["cat"]
    assert TextTokenizer.train(["犬が走る"], vocab_size=400).unseen("犬は走る") == ["は"]


def test_where_the_words_are_not_known_those_that_fall_apart_are_found():
    old = TextTokenizer(TextTokenizer.train(CAPTIONS, vocab_size=512).model_bytes)
    assert old.words is None and old.learned(["a dog"]).words is None
    assert old.unseen("a dog runs, a small red circle 🎈") == ["dog", "runs", "🎈"]
    assert [word for caption in CAPTIONS for word in old.unseen(caption)] == []


def test_bytes_that_are_no_text_are_refused(text):
    with pytest.raises(ValueError, match="which holds bytes that are no text; wanted UTF-8"):
        text.encode("red \udcff", 48)


def test_one_caption_is_enough():
    text = TextTokenizer.train(["hi"], vocab_size=512)
    assert text.vocab_size <= 512 and text.decode(text.encode("hi there", 48)) == "hi there"


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_an_empty_prompt_is_refused(text, prompt):
    with pytest.raises(ValueError, match=r'got an empty prompt; wanted some words .* such as "a red circle'):
        text.encode(prompt, max_length=48)


def test_a_long_prompt_is_refused(text):
    fits = len(text.encode(CAPTIONS[0], 48))
    assert text.encode(CAPTIONS[0], fits)
    with pytest.raises(ValueError, match=rf"got a prompt of {fits} text tokens .*wanted at most {fits - 1}, .*shorten it"):
        text.encode(CAPTIONS[0], fits - 1)
    with pytest.raises(ValueError, match="got a prompt of"):
        text.batch(["a red circle", CAPTIONS[0]], fits - 1)


@pytest.mark.parametrize("captions", [[], ["", "  "]])
def test_training_on_nothing_is_refused(captions):
    with pytest.raises(ValueError, match="got no captions; wanted at least one"):
        TextTokenizer.train(captions)


def test_a_vocabulary_without_room_for_bytes_is_refused():
    with pytest.raises(ValueError, match="got vocab_size 200; wanted at least 290"):
        TextTokenizer.train(CAPTIONS, vocab_size=200)


@pytest.mark.parametrize("damage", [lambda b: b"", lambda b: b"not a model", lambda b: b[: len(b) // 2]])
def test_a_damaged_model_is_refused(text, damage):
    damaged = damage(text.model_bytes)
    with pytest.raises(ValueError, match=f"got {len(damaged)} bytes that are no sentencepiece model .* is damaged"):
        TextTokenizer(damaged)
