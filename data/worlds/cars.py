"""`UnseenCarRacing`: CarRacing that draws a picture when it is asked for one, and only what is near."""

from typing import Any

import numpy as np
from gymnasium.envs.box2d import car_racing
from numpy.typing import NDArray

_MARGIN = 1.0
"""Pixels by which more is taken for near than Gymnasium does: it then looks for itself, so that pictures stay equal."""
_TILE = car_racing.GRASS_DIM
_GRASS = [
    [(right, top), (left, top), (left, bottom), (right, bottom)]
    for x in range(-20, 20, 2)
    for y in range(-20, 20, 2)
    for left, right, top, bottom in [(_TILE * x + 0, _TILE * x + _TILE, _TILE * y + 0, _TILE * y + _TILE)]
]
_EDGE = car_racing.PLAYFIELD
_FIELD = [(_EDGE, _EDGE), (_EDGE, -_EDGE), (-_EDGE, -_EDGE), (-_EDGE, _EDGE)]


class UnseenCarRacing(car_racing.CarRacing):
    """The same physics and pictures as those of Gymnasium, whose steps each draw one and take 99 % of their time for it."""

    def picture(self) -> NDArray[np.uint8]:
        """What Gymnasium's would have observed now, uint8 `[96, 96, 3]`."""
        reward, self.reward = self.reward, self._reward_drawn
        try:
            return super()._render("state_pixels")  # type: ignore[no-untyped-call, no-any-return, unused-ignore]
        finally:
            self.reward = reward

    def reset(self, **options: Any) -> Any:
        """Begins anew, as Gymnasium's does."""
        begun = super().reset(**options)
        self._corners = np.array([*_GRASS, *(corners for corners, _ in self.road_poly)], np.float64)
        return begun

    def _render(self, mode: str) -> None:
        """What a step draws: nothing. A step is drawn before its cost is taken from the reward that the picture shows."""
        self._reward_drawn = self.reward

    def _render_road(self, zoom: float, translation: Any, angle: float) -> None:
        """Grass and road, in Gymnasium's order, without the many pieces that are far away."""
        self._draw_colored_polygon(self.surf, _FIELD, self.bg_color, zoom, translation, angle, clip=False)
        for place in np.flatnonzero(self._near(zoom, translation, angle)):
            is_grass = place < len(_GRASS)
            corners, color = (_GRASS[place], self.grass_color) if is_grass else self.road_poly[place - len(_GRASS)]
            color = color if is_grass else [int(value) for value in color]
            self._draw_colored_polygon(self.surf, corners, color, zoom, translation, angle)

    def _near(self, zoom: float, translation: Any, angle: float) -> NDArray[np.bool_]:
        """Which pieces have a corner near the picture."""
        cos, sin = np.cos(angle) * zoom, np.sin(angle) * zoom
        x = self._corners[..., 0] * cos - self._corners[..., 1] * sin + translation[0]
        y = self._corners[..., 0] * sin + self._corners[..., 1] * cos + translation[1]
        most = car_racing.MAX_SHAPE_DIM + _MARGIN
        inside = (-most <= x) & (x <= car_racing.WINDOW_W + most) & (-most <= y) & (y <= car_racing.WINDOW_H + most)
        return inside.any(axis=1)
