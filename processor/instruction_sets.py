"""Which instruction sets the CPU has."""

from __future__ import annotations

import functools
import pathlib

CPUINFO = pathlib.Path("/proc/cpuinfo")


@functools.cache
def instruction_sets(cpuinfo: pathlib.Path = CPUINFO) -> frozenset[str]:
    """The CPU flags that Linux reports, such as ``avx2``; empty on other systems."""
    return frozenset(cpuinfo.read_text(errors="replace").split() if cpuinfo.exists() else ())
