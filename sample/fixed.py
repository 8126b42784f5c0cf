"""`Fixed`: an object that stays as it was made."""

from typing import Any


class Fixed:
    """Each attribute can be set once; what was made of its value would not notice another one."""

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__:
            kind = type(self).__name__
            raise AttributeError(f"got another {name} for a {kind}, which stays as it was made; wanted none; make another {kind}")
        super().__setattr__(name, value)
