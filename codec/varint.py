"""Base-128 varints: low groups first, high bit set on all bytes but the last."""

from __future__ import annotations

from typing import Tuple


def to_varint(value: int) -> bytes:
    """The bytes of a number; at most 4 below 2**28."""
    groups = []
    while value >= 128:
        groups.append(value % 128 + 128)
        value //= 128
    return bytes([*groups, value])


def from_varint(data: bytes, start: int, most: int = 4) -> Tuple[int, int]:
    """The number that starts at ``start``, and the position after it.

    Raises:
        ValueError: the number does not end within ``most`` bytes.
    """
    value = 0
    for shift, byte in enumerate(data[start : start + most]):
        value += (byte % 128) << (7 * shift)
        if byte < 128:
            return value, start + shift + 1
    raise ValueError("a number has no end.")
