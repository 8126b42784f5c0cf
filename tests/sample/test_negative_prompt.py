"""Negative prompts: guidance away from a text, in every place that a stream's settings reach."""

from dataclasses import replace
from itertools import islice

import pytest
import tiny_bundle
import torch

from framecast.model import VideoLM
from framecast.sample import SamplingParams, Stream, StreamBatch, UnseenWordsWarning, read_tokens
from framecast.sample.packing import pack, unpack

PROMPT, AWAY, OTHER = "a red circle moves right", "a ring falls", "a blue square moves up"
PARAMS = SamplingParams(temperature=1.0, guidance_scale=3.0, negative_prompt=AWAY)
PLAIN = replace(PARAMS, negative_prompt=None)


def stream(params: SamplingParams = PARAMS, seed: int = 3) -> Stream:
    return tiny_bundle.generator().stream([(0, PROMPT), (1, OTHER)], seed, params)


def images(running: Stream, count: int) -> list[bytes]:
    return [frame.image.numpy().tobytes() for frame in islice(running, count)]


def test_the_second_row_gets_the_negative_prompt(monkeypatch):
    seen, encode = [], VideoLM.encode_prompts

    def spy(self, ids, real, *rest):
        seen.append((ids.clone(), real.clone()))
        return encode(self, ids, real, *rest)

    monkeypatch.setattr(VideoLM, "encode_prompts", spy)
    tiny_bundle.generator().generate([(0, PROMPT), (0.2, OTHER)], 13, params=PARAMS)
    text = tiny_bundle.text_tokenizer()
    for prompt, (ids, real) in zip((PROMPT, OTHER), seen, strict=True):
        rows = [row[there].tolist() for row, there in zip(ids[:, 0], real[:, 0], strict=True)]
        assert rows == [text.encode(prompt, 24), text.encode(AWAY, 24)]


def test_it_changes_the_tokens_and_no_words_are_none():
    generator = tiny_bundle.generator()
    tokens = {
        name: generator.generate(PROMPT, 9, 1, replace(PARAMS, negative_prompt=name)).tokens for name in (None, "", " ", AWAY)
    }
    assert torch.equal(tokens[None], tokens[""]) and torch.equal(tokens[None], tokens[" "])
    assert not torch.equal(tokens[None], tokens[AWAY])


def test_led_away_from_its_own_prompt_a_stream_is_led_nowhere():
    """Both rows are one, so that any scale gives what no guidance gives."""
    generator = tiny_bundle.generator()
    away = generator.generate(PROMPT, 9, 1, replace(PARAMS, negative_prompt=PROMPT))
    assert torch.equal(away.tokens, generator.generate(PROMPT, 9, 1, replace(PLAIN, guidance_scale=1.0)).tokens)


@pytest.mark.parametrize("num_frames", [0, 1, 7, 21])
def test_a_restored_stream_goes_on_frame_for_frame(num_frames):
    running = stream()
    images(running, num_frames)
    saved = running.snapshot()
    again = tiny_bundle.generator().restore(saved)
    assert again.params == PARAMS and again.snapshot() == saved
    assert images(running, 20) == images(again, 20)


def test_branches_and_batches_change_nothing():
    alone, plain = stream(), stream(PLAIN, 4)
    inside, beside = stream(), stream(PLAIN, 4)
    batch = StreamBatch(tiny_bundle.generator(), slots=3)
    batch.join(beside)
    batch.step()
    batch.join(inside)
    for _ in range(9):
        batch.step(), alone.advance(), plain.advance()
    assert torch.equal(inside.tokens[:9], alone.tokens) and torch.equal(beside.tokens[:9], plain.tokens)
    (branch,) = alone.branch([3])
    assert torch.equal(branch.advance().tokens, alone.advance().tokens)


def test_another_one_holds_from_the_next_latent_frame_on_alone_and_in_a_batch():
    alone, inside = stream(), stream()
    batch = StreamBatch(tiny_bundle.generator(), slots=2)
    batch.join(inside)  # which makes the first latent frame
    alone.advance()
    for params in (PARAMS, PLAIN, replace(PARAMS, negative_prompt="a blue square"), replace(PLAIN, guidance_scale=1.0)):
        alone.params = inside.params = params
        for _ in range(3):
            alone.advance(), batch.step()
    assert torch.equal(alone.tokens, inside.tokens)
    unchanged = stream()
    for _ in range(len(alone.tokens)):
        unchanged.advance()
    assert torch.equal(alone.tokens[:4], unchanged.tokens[:4]) and not torch.equal(alone.tokens, unchanged.tokens)


def test_a_token_file_keeps_it(tmp_path):
    running = stream()
    running.record(tmp_path / "out.fct")
    running.advance(), running.close()
    assert read_tokens(tmp_path / "out.fct").header.params == PARAMS


def test_files_without_one_are_what_earlier_versions_wrote(tmp_path):
    running = stream(PLAIN)
    assert "negative_prompt" not in unpack(running.snapshot())[1]["params"]
    running.record(tmp_path / "out.fct")
    running.close()
    assert b"negative_prompt" not in (tmp_path / "out.fct").read_bytes()
    assert "negative_prompt" in unpack(stream().snapshot())[1]["params"]


def test_a_snapshot_of_one_and_no_guidance_is_refused():
    tensors, values = unpack(stream().snapshot())
    broken = pack(tensors, {**values, "params": {**values["params"], "guidance_scale": 1.0}})
    with pytest.raises(ValueError, match=r"got a snapshot of no stream of these networks .*wanted a scale above 1"):
        tiny_bundle.generator().restore(broken)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"guidance_scale": 1}, 'got negative_prompt "a ring falls" and guidance_scale 1; wanted a scale above 1: guidance is'),
        ({"guidance_scale": 0.5}, "guidance_scale 0.5; wanted a scale above 1"),
        ({"negative_prompt": 3}, r'got negative_prompt 3; wanted a text, such as "a blue square", or None'),
        ({"negative_prompt": ["a ring"]}, r"got negative_prompt \['a ring'\]; wanted a text"),
        ({"negative_prompt": "a ring; at 2s a star"}, r'with a ";"; wanted one text: it holds for the whole video'),
    ],
)
def test_what_cannot_be_one_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        replace(PARAMS, **changes)


def test_one_that_is_too_long_is_refused_before_anything_is_made():
    with pytest.raises(ValueError, match=r"got a prompt of \d+ text tokens .*; wanted at most 24"):
        stream(replace(PARAMS, negative_prompt=AWAY * 9))
    running = stream()
    with pytest.raises(ValueError, match="wanted at most 24"):
        running.params = replace(PARAMS, negative_prompt=AWAY * 9)
    assert running.params == PARAMS


def test_its_unseen_words_are_named():
    with pytest.warns(UnseenWordsWarning, match='"dog"'):
        tiny_bundle.generator().stream(PROMPT, params=replace(PARAMS, negative_prompt="a dog"))
