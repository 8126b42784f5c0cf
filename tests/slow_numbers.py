"""What processes of tests do; imports nothing that takes time."""

import os
import time

DIES, FAILS, SLEEPS = -1, -2, -3


class Squares:
    def __init__(self, more: int):
        self._more = more

    def __call__(self, number: int) -> int:
        if number == DIES:
            os._exit(7)
        if number == FAILS:
            raise KeyError("lost")
        if number == SLEEPS:
            time.sleep(3600)
        return number**2 + self._more
