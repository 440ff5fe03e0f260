"""What the processor multiplies natively, by its own word."""

from __future__ import annotations

import functools
import pathlib

CPUINFO = pathlib.Path("/proc/cpuinfo")


@functools.cache
def instruction_sets(cpuinfo: pathlib.Path = CPUINFO) -> frozenset[str]:
    """Flags of Linux' list of processors, such as ``avx2``; none where there is no such list."""
    return frozenset(cpuinfo.read_text(errors="replace").split() if cpuinfo.exists() else ())
