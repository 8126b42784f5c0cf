"""`Workers`: processes that work side by side, die alone, and end when nobody needs them."""

import time

import pytest
import slow_numbers

from framecast.data.worlds.workers import Death, Refusal, Workers


@pytest.fixture
def crew():
    crew = Workers(2, slow_numbers.Squares, (100,))
    yield crew
    crew.close()


def results(crew: Workers, count: int) -> dict:
    found = {}
    while len(found) < count:
        found |= dict(crew.results())
    return found


def test_a_process_that_dies_or_fails_takes_one_number_with_it(crew):
    crew.call(2), crew.call(slow_numbers.DIES)
    assert not crew.has_room
    assert results(crew, 2) == {2: 104, slow_numbers.DIES: Death(7)}
    assert crew.has_room
    crew.call(slow_numbers.FAILS), crew.call(3)
    assert results(crew, 2) == {slow_numbers.FAILS: Refusal("KeyError: 'lost'"), 3: 109}
    crew.call(slow_numbers.SLEEPS)
    processes = [process for process, _ in crew._busy.values()] + [process for _, process in crew._idle]
    start = time.monotonic()
    crew.close()
    assert len(processes) == 2 and not any(process.is_alive() for process in processes)
    assert time.monotonic() - start < 20  # and not an hour


def test_a_process_closes_what_it_holds_whether_it_works_or_waits(tmp_path):
    crew = Workers(2, slow_numbers.Squares, (100, tmp_path))
    crew.call(2), crew.call(slow_numbers.SLEEPS)
    assert results(crew, 1) == {2: 104}
    while len(list(tmp_path.glob("opened_*"))) < 2:
        time.sleep(0.02)
    crew.close()
    assert len(list(tmp_path.glob("closed_*"))) == 2
