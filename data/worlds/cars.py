"""`UnseenCarRacing`: CarRacing that draws a picture when it is asked for one."""

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing
from numpy.typing import NDArray


class UnseenCarRacing(CarRacing):
    """The same physics and the same pictures as Gymnasium's, which draws one in every step; drawing is 99 % of its time."""

    def picture(self) -> NDArray[np.uint8]:
        """What Gymnasium's would have observed now, uint8 `[96, 96, 3]`."""
        return super()._render("state_pixels")  # type: ignore[no-untyped-call, no-any-return, unused-ignore]

    def _render(self, mode: str) -> None:
        """What a step draws: nothing."""
