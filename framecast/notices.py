"""`Notice`: a warning for the person at the keyboard, which the command line says in one line; `Stopped`: a signal to end.

Every room may import this module, which imports nothing.
"""


class Notice(UserWarning):
    """What was asked for is done, and is perhaps not what was meant; the message says what to do."""


class Stopped(SystemExit):
    """A signal has told the process to end; so it is told apart from code of others that ends the process."""
