"""Which combinations are held out."""

from itertools import product

from framecast.data.sprites import (
    COLOURS,
    MOTIONS,
    SHAPES,
    is_held_out,
)


def test_a_tenth_of_the_combinations_is_held_out_and_each_two_words_still_meet():
    every = set(product(SHAPES, COLOURS, MOTIONS))
    seen = {words for words in every if not is_held_out(*words)}
    assert 0.89 < len(seen) / len(every) < 0.91
    for pair in ((0, 1), (0, 2), (1, 2)):
        assert {tuple(words[i] for i in pair) for words in seen} == {tuple(words[i] for i in pair) for words in every}
