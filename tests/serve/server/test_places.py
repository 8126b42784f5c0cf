"""Places are given while there are some, and each is given back once."""

import pytest

from framecast.serve import ServeError
from framecast.serve.server.places import Places


def test_a_place_is_given_back_once():
    places = Places(2)
    first, _ = places.admit(), places.admit()
    assert (places.taken, places.free) == (2, 0)
    with pytest.raises(ServeError, match="all 2 places are taken; try again in a while"):
        places.admit()
    first.release()
    first.release()
    assert (places.taken, places.free) == (1, 1)


def test_a_place_is_given_back_if_what_follows_fails():
    places = Places(1)
    with pytest.raises(ZeroDivisionError), places.admitted():
        _ = 1 / 0
    assert places.free == 1
    with places.admitted() as place:
        pass
    assert places.free == 0
    place.release()
    assert places.free == 1


def test_a_server_that_goes_down_gives_none():
    places = Places(1)
    places.closed = True
    with pytest.raises(ServeError, match="going down") as caught:
        places.admit()
    assert caught.value.code == "draining" and places.free == 1
