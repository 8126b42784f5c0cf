"""`Notice`: a warning for the person at the keyboard, which the command line says in one line.

Every room may import this module, which imports nothing.
"""


class Notice(UserWarning):
    """What was asked for is done, and is perhaps not what was meant; the message says what to do."""
