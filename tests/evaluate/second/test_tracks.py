"""Tracks: pieces of one object, frame after frame."""

import numpy as np

from framecast.evaluate.second.pieces import Piece
from framecast.evaluate.second.tracks import link

SIZE = np.array([64, 64])


def piece(frame: int, x: float, y: float, colour: int = 0) -> Piece:
    return Piece(frame, colour, np.array([x, y]), np.arange(50), 200.0)


def test_two_of_one_colour_that_come_near_keep_their_tracks():
    pieces = [piece(t, x, y) for t in range(20) for x, y in ((10 + t, 20), (40 - t, 30))]
    tracks = link(pieces, SIZE)
    assert len(tracks) == 2 and all(len({p.centre[1] for p in track.pieces}) == 1 for track in tracks)


def test_a_track_goes_on_behind_a_bar_and_across_the_border_and_not_to_another_place():
    gone = [piece(t, (50 + t) % 64, 20) for t in (*range(8), *range(22, 33))]
    assert [len(track.pieces) for track in link(gone, SIZE)] == [19]
    jumps = [piece(t, 10 if t < 5 else 40, 20) for t in range(12)]
    assert [len(track.pieces) for track in link(jumps, SIZE)] == [7, 5]


def test_colours_have_tracks_of_their_own():
    assert len(link([piece(t, 10, 20, t % 2) for t in range(6)], SIZE)) == 2
