"""Actions that lie in files beside videos: which files there are, what their numbers mean, and whether they can be used."""

from .deriving import space_of_numbers
from .lines import ACTIONS_FILE, ActionLines, read_action_lines
from .recorded import RecordedActions, read_space
from .rows import in_own_units, rows_of_space
from .tables import Numbers, numbers, read_table

__all__ = [
    "ACTIONS_FILE",
    "ActionLines",
    "Numbers",
    "RecordedActions",
    "in_own_units",
    "numbers",
    "read_action_lines",
    "read_space",
    "read_table",
    "rows_of_space",
    "space_of_numbers",
]
