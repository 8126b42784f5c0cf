"""Going on at another server once one is lost: how long that is tried, and which refusals end it."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable

from websockets.exceptions import ConnectionClosed

from ..protocol.errors import ServeError

GONE = ("server_full", "draining")  # what another server may not say
_SECONDS = 30.0
_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)  # seconds between attempts; the last one for all that follow


def may_go_on(lost: Exception) -> bool:
    """Whether another server may know more than the one that was lost by this error."""
    return isinstance(lost, ConnectionError) or (isinstance(lost, ServeError) and lost.code == "draining")


async def recovered(go_on: Callable[[], Awaitable[None]]) -> bool:
    """Tries to go on until it works, a server says that it cannot be, or half a minute is over; says whether it worked."""
    clock, pauses = asyncio.get_running_loop(), itertools.chain(_PAUSES, itertools.repeat(_PAUSES[-1]))
    until = clock.time() + _SECONDS
    while clock.time() < until:
        try:
            await go_on()
            return True
        except ServeError as error:
            if error.code not in GONE:
                return False
        except (ConnectionError, ConnectionClosed):
            pass
        await asyncio.sleep(next(pauses))
    return False
