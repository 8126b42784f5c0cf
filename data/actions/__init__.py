"""What can be done in a world, and what was done in it, frame by frame."""

from .resampling import reduce_actions, resample
from .space import MOST, ActionError, ActionSpace, Axis, Button
from .steps import Steps, check_delay

__all__ = ["MOST", "ActionError", "ActionSpace", "Axis", "Button", "Steps", "check_delay", "reduce_actions", "resample"]
