"""What can be done in a world, frame by frame."""

from .space import ActionError, ActionSpace, Axis, Button

__all__ = ["ActionError", "ActionSpace", "Axis", "Button"]
