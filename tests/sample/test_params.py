"""`SamplingParams`: checked when made, and frozen."""

from dataclasses import FrozenInstanceError

import pytest

from framecast.sample import ByBlock, ByFrame, ByRow, ByToken, Jacobi, SamplingParams

NAN, INF = float("nan"), float("inf")

BAD = {
    "temperature": ([-0.1, 10.1, NAN, INF, "hot", None, True], "a number from 0 to 10; 0 is greedy"),
    "top_k": ([0, -1, 1.5, "5", True], "a whole number of at least 1, or None for all"),
    "top_p": ([0, -0.1, 1.1, NAN, "all", False], "a number above 0 and up to 1, or None for all"),
    "guidance_scale": ([-1, 20.5, NAN, "strong", None], "a number from 0 to 20; 1 is no guidance"),
    "decoding": ([0, -6, 1.5, "banana", "3", "", None, True, [3]], "one of token, row, frame, jacobi, or a number of tokens"),
}
GOOD = {
    "temperature": [0, 0.9, 10],
    "top_k": [None, 1, 10_000],
    "top_p": [None, 1e-9, 1],
    "guidance_scale": [0, 1, 20],
    "decoding": ["token", "row", "frame", "jacobi", 1, 64],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, (values, _) in BAD.items() for value in values])
def test_a_bad_value_is_refused(name, value):
    with pytest.raises(ValueError) as caught:
        SamplingParams(**{name: value})
    assert str(caught.value) == f"got {name} {value!r}; wanted {BAD[name][1]}"


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in GOOD.items() for value in values])
def test_a_good_value_is_taken(name, value):
    assert getattr(SamplingParams(**{name: value}), name) == value


def test_it_is_frozen_and_a_value():
    params = SamplingParams(top_k=5)
    with pytest.raises(FrozenInstanceError):
        params.top_k = 0  # type: ignore[misc]
    assert params == SamplingParams(top_k=5) != SamplingParams(top_k=6)


@pytest.mark.parametrize(("scale", "guided"), [(0, True), (0.5, True), (1, False), (1.0, False), (2, True)])
def test_only_a_scale_of_one_is_no_guidance(scale, guided):
    assert SamplingParams(guidance_scale=scale).guided is guided


@pytest.mark.parametrize(("decoding", "tokens"), [("token", 1), ("jacobi", 1), ("row", 3), ("frame", 6), (3, 3), (5, 5)])
def test_block_length(decoding, tokens):
    assert SamplingParams(decoding=decoding).block_length((2, 3)) == tokens


@pytest.mark.parametrize(
    ("way", "name"), [(ByToken(), "token"), (ByRow(), "row"), (ByFrame(), "frame"), (Jacobi(), "jacobi"), (ByBlock(16), 16)]
)
def test_a_decoding_is_kept_by_its_name(way, name):
    params = SamplingParams(decoding=way)
    assert params == SamplingParams(decoding=name) and params.decoding == name and params.way == way


def test_control_a_decoding_of_no_tokens_is_refused():
    with pytest.raises(ValueError, match="got decoding 0; wanted one of token, row, frame, jacobi, or a number of tokens"):
        SamplingParams(decoding=ByBlock(0))
