"""`PictureModel`: the interface of models that describe single pictures."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np


class PictureModel(ABC):
    """Says what a picture shows."""

    @abstractmethod
    def describe(self, pictures: Sequence[np.ndarray]) -> list[str]:
        """A text for each picture uint8 `[H, W, 3]`."""
