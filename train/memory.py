"""`keep_freed_memory`: what one step frees the next one needs again."""

import ctypes
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # the names of `mallopt` have these numbers in malloc.h
_LARGEST_TRIM, _LARGEST_MMAP = 2**31 - 1, 2**25  # what `mallopt` takes at the most


def keep_freed_memory() -> bool:
    """Lets the C library keep memory that was freed, so that steps do not ask the system for the same pages again and again.

    This costs no more memory than the largest step needs. Only glibc knows how; returns whether glibc was there.
    """
    if platform.libc_ver()[0] != "glibc":
        return False
    libc = ctypes.CDLL(None)
    return bool(libc.mallopt(_MMAP_THRESHOLD, _LARGEST_MMAP)) and bool(libc.mallopt(_TRIM_THRESHOLD, _LARGEST_TRIM))
