"""Clips of several sources in one, such as a world with actions beside videos without."""

from collections.abc import Sequence

from .clips import CaptionedClip, ClipSource


class MixedClips(ClipSource):
    """The clips of several sources, evenly mixed: any stretch of them has about the share of each source that the whole has.

    Each source keeps its order. Clips of sources without actions have none.

    Args:
        sources: Where the clips come from; all of one shape and rate. Those with actions have the same action space.

    Raises:
        ValueError: If there is no source, or two differ in shape, rate or action space.
    """

    def __init__(self, sources: Sequence[ClipSource]):
        if not sources:
            raise ValueError("got no source to mix; wanted at least one")
        self.sources = tuple(sources)
        first = self.sources[0]
        self.num_frames, self.height, self.width, self.fps = first.num_frames, first.height, first.width, first.fps
        self._check()
        spaces = [source.action_space for source in self.sources if source.action_space is not None]
        if spaces:
            self.action_space = spaces[0]
        places = ((number, place) for number, source in enumerate(self.sources) for place in range(len(source)))
        self._places = sorted(places, key=lambda at: ((at[1] + 0.5) / len(self.sources[at[0]]), at[0]))

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> CaptionedClip:
        if not -len(self) <= index < len(self):
            raise IndexError(f"clip {index} of {len(self)} mixed clips")
        number, place = self._places[index]
        return self.sources[number][place]

    @property
    def seconds_of_video(self) -> float:
        return sum(source.seconds_of_video for source in self.sources)

    def summary(self) -> str:
        return f"{len(self):,} clips of {len(self.sources)} sources: {'; '.join(source.summary() for source in self.sources)}"

    def _check(self) -> None:
        shapes = [(source.num_frames, source.height, source.width, source.fps) for source in self.sources]
        wrong = next((number for number, shape in enumerate(shapes) if shape != shapes[0]), None)
        if wrong is not None:
            raise ValueError(
                f"got sources that differ: (num_frames, height, width, fps) is {shapes[0]} in source 0 and {shapes[wrong]} in "
                f"source {wrong}; give all the same values"
            )
        spaces = {number: source.action_space for number, source in enumerate(self.sources) if source.action_space is not None}
        first = next(iter(spaces.values()), None)
        other = next((number for number, space in spaces.items() if space != first), None)
        if other is not None:
            raise ValueError(
                f"got sources with different action spaces, {first} in source {next(iter(spaces))} and {spaces[other]} in source "
                f"{other}; wanted one; give all of them the same `action_space`"
            )
