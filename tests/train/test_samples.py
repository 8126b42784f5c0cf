"""When the video LM is looked at."""

from types import SimpleNamespace

import pytest

from framecast.train import LitVideoLM, Samples


def looks(samples: Samples, validations: int) -> list[int]:
    """After which validations samples are made."""
    found: list[int] = []
    samples._look = lambda trainer, module: found.append(trainer.number)
    trainer = SimpleNamespace(sanity_checking=False, is_global_zero=True, state=SimpleNamespace(fn="fit"), number=0)
    for number in range(1, 1 + validations):
        trainer.number = number
        samples.on_validation_epoch_end(trainer, LitVideoLM())
    return found


def test_looks_belong_to_validations_from_the_first_on():
    assert looks(Samples(), 4) == [1, 2, 3, 4]
    assert looks(Samples(every_n_validations=3), 7) == [1, 4, 7]
    assert (
        looks(Samples(every_n_validations=0), 3) == looks(Samples(every_n_steps=0), 3) == looks(Samples(every_n_steps=5), 3) == []
    )


@pytest.mark.parametrize("name", ["every_n_steps", "num_prompts", "every_n_validations", "num_continuations", "num_held"])
def test_numbers_below_zero_are_refused(name):
    with pytest.raises(ValueError, match=f"got {name} -1; wanted at least 0; 0 turns it off"):
        Samples(**{name: -1})
