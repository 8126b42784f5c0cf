"""Actions that lie in files beside videos: which files there are, what their numbers mean, and whether they can be used."""

from .deriving import space_of_numbers
from .lines import ACTIONS_FILE, ActionLines, read_action_lines
from .recorded import RecordedActions, read_space
from .rows import rows_of_space

__all__ = [
    "ACTIONS_FILE",
    "ActionLines",
    "RecordedActions",
    "read_action_lines",
    "read_space",
    "rows_of_space",
    "space_of_numbers",
]
