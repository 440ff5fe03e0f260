"""Settings of the process; they only take effect before TensorFlow is imported."""

from __future__ import annotations

import os
import sys

# Parameters of mallopt, from malloc.h of the GNU C library.
TRIM_THRESHOLD, MMAP_THRESHOLD, MMAP_MAX = -1, -3, -4

LARGEST_KEPT = 2**30
"""Bytes: larger allocations are returned to the system as soon as they are freed."""


def set_process() -> None:
    """Silences what concerns no user, selects TensorFlow's fastest kernels, keeps freed memory.

    Every command calls this before its imports, which take seconds: Ctrl-C during them is one line
    as well. Environment variables that are already set are kept.
    """
    sys.excepthook = _excepthook
    import io
    import logging
    import platform
    import warnings

    # Names of files may be bytes that no encoding has.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    # Level 3, because TensorFlow logs three "errors" at every start (CUDA libraries that are
    # registered twice). Real errors still arrive as exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("NO_GCE_CHECK", "true")  # TFDS would query Google's metadata server.
    # Else TensorFlow 2.16 and later call Keras 3 `tf.keras`, and a tf.Module, such as a model is,
    # would not find the variables of layers of that: they would stay untrained.
    os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
    # Else the first process takes a GPU's whole memory, and no other can use it.
    os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
    logging.getLogger("absl").setLevel(logging.ERROR)  # TFDS logs every step through absl.
    # Pillow warns that images of 90 megapixels "could be decompression bomb DOS attack", and of odd
    # metadata. What may not be read is an error anyway.
    warnings.filterwarnings("ignore", module=r"PIL\.")
    # TensorFlow enables oneDNN only on processors newer than AVX2, where it is faster as well.
    if platform.machine() in ("x86_64", "AMD64"):
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if sys.platform == "linux":
        keep_memory()


def _excepthook(kind, error, traceback) -> None:
    """The usual report of what ends the process, but one line for Ctrl-C, and status 130."""
    if not issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    print("interrupted", file=sys.stderr)
    sys.exit(130)


def keep_memory() -> None:
    """Makes malloc reuse the memory of freed tensors. Does nothing without the GNU C library.

    By default, each tensor above 32 MB is mapped anew and its pages are zeroed one by one, which
    takes a sixth of a training step.
    """
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    if not mallopt(MMAP_THRESHOLD, LARGEST_KEPT):  # Limited to 32 MB before version 2.35.
        mallopt(MMAP_MAX, 0)
    mallopt(TRIM_THRESHOLD, LARGEST_KEPT)
