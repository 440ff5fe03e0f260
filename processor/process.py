"""Settings of the process that TensorFlow is faster with on CPUs; made before it is imported."""

from __future__ import annotations

import ctypes
import os
import platform
import sys

# Parameters of mallopt, from malloc.h of the GNU C library.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4

LARGEST_KEPT = 2**30
"""Bytes: what is larger goes back to the system as soon as it is free."""


def set_process() -> None:
    """Chooses TensorFlow's convolutions and keeps the memory of its tensors.

    What the user's environment says about oneDNN stays.
    """
    # TensorFlow's own choice is by instruction sets that came later; with AVX2 alone, too, these
    # are the faster kernels.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if sys.platform == "linux":
        keep_memory()


def keep_memory() -> None:
    """Lets freed tensors be used again.

    By default each tensor of more than 32 MB is mapped anew and its pages are zeroed one by one:
    a sixth of the time of a training step. Other C libraries than GNU's are left as they are.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    if not mallopt(MMAP_THRESHOLD, LARGEST_KEPT):  # Before version 2.35, 32 MB are its limit.
        mallopt(MMAP_MAX, 0)
    mallopt(TRIM_THRESHOLD, LARGEST_KEPT)
