"""Keeps a host of models small: what a load or a large picture has used goes back to the system.

Only glibc can be told; elsewhere these do nothing.
"""

import contextlib
import ctypes

TRIM_THRESHOLD, MMAP_THRESHOLD, ARENA_MAX = -1, -3, -8
"""glibc's numbers of its settings."""
LARGE_BYTES = 4 * 1024 * 1024


def stay_small() -> None:
    """Few heaps for many threads, and none that grows for what is large (a photo of 36 megapixels: 200 MB less)."""
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        library.mallopt(ARENA_MAX, 2)
        library.mallopt(MMAP_THRESHOLD, LARGE_BYTES)
        library.mallopt(TRIM_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Opening a model leaves some 30 MB unused in the heap."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
