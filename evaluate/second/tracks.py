"""Tracks: which pieces of a clip are one object, frame after frame."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby, permutations

import numpy as np

from .pieces import Piece, apart

_JUMP, _PACE = 6.0, 1.7  # pixels that an object may be from where it was last seen, and more of them for each frame since
_MOST = 3  # pieces of one colour in a frame


@dataclass(eq=False)
class PieceTrack:
    """The pieces of one object.

    Attributes:
        colour: Place in `COLOURS`.
        pieces: At most one a frame, in their order.
    """

    colour: int
    pieces: list[Piece] = field(default_factory=list)

    @property
    def frames(self) -> list[int]:
        """Frames in which it is seen."""
        return [piece.frame for piece in self.pieces]


def link(pieces: Sequence[Piece], size: np.ndarray) -> list[PieceTrack]:
    """Tracks of pieces on a frame (W, H) whose borders meet, the longest first.

    In each frame the pieces of a colour go to its tracks by the assignment whose sum of distances is least.
    """
    tracks: list[PieceTrack] = []
    for colour in sorted({piece.colour for piece in pieces}):
        own: list[PieceTrack] = []
        alike = [piece for piece in pieces if piece.colour == colour]
        for _, some in groupby(alike, key=lambda piece: piece.frame):
            here = sorted(some, key=lambda piece: -len(piece.pixels))[:_MOST]
            for piece, track in _assigned(here, own, size):
                if track is None:
                    track = PieceTrack(colour)
                    own.append(track)
                track.pieces.append(piece)
        tracks += own
    return sorted(tracks, key=lambda track: -len(track.pieces))


def _assigned(pieces: list[Piece], tracks: list[PieceTrack], size: np.ndarray) -> list[tuple[Piece, PieceTrack | None]]:
    """Each piece with its track; None if it begins one."""
    latest = sorted(tracks, key=lambda track: (-track.frames[-1], -len(track.pieces)))[: 2 * _MOST]
    places = [*latest, *[None] * len(pieces)]
    costs = np.array([[_cost(piece, track, size) for track in places] for piece in pieces])
    rows = np.arange(len(pieces))
    best = min(permutations(range(len(places)), len(pieces)), key=lambda order: costs[rows, order].sum())
    return [(piece, places[at]) for piece, at in zip(pieces, best, strict=True)]


def _cost(piece: Piece, track: PieceTrack | None, size: np.ndarray) -> float:
    """How far a piece is from the last one of a track, 0 to 1 of what may be; a track of its own costs 1."""
    if track is None:
        return 1.0
    last = track.pieces[-1]
    return float(np.hypot(*apart(piece.centre, last.centre, size)) / (_JUMP + _PACE * (piece.frame - last.frame))) ** 2
