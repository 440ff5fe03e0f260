"""Latents of long recordings in blocks, to bound the memory of quantizers and entropy models.

The columns are cut into blocks of ``POSITIONS // rows`` columns: at 8 kHz four minutes of mono with
``lapped_audio``, two with ``audio``. Each block is coded by itself, as a whole image is. In the
payload each block but the last is preceded by its length, a base-128 varint.
"""

from __future__ import annotations

from typing import List

import tensorflow as tf

from codec.latent_coder import LatentCoder
from codec.varint import from_varint, to_varint

POSITIONS = 2**14


def columns_of_blocks(rows: int, columns: int) -> List[int]:
    """Number of columns in each block."""
    size = _columns_of_a_block(rows)
    return [min(size, columns - start) for start in range(0, columns, size)]


def _columns_of_a_block(rows: int) -> int:
    return max(1, POSITIONS // rows)


def blocks(latents: tf.Tensor) -> List[tf.Tensor]:
    """Latents ``[rows, columns, channels]`` cut into blocks."""
    return tf.split(latents, columns_of_blocks(*latents.shape[:2]), axis=1)


def join_payloads(payloads: List[bytes]) -> bytes:
    """One payload of those of all blocks."""
    *others, last = payloads
    return b"".join(to_varint(len(payload)) + payload for payload in others) + last


def decode_blocks(coder: LatentCoder, payload: bytes, rows: int, columns: int) -> tf.Tensor:
    """Values float32 ``[rows, columns, channels]`` from blocks joined by `join_payloads`.

    Raises:
        ValueError: not a payload of such latents.
    """
    # Each block but the last has a byte or more for its length.
    if columns > (len(payload) + 1) * _columns_of_a_block(rows):
        raise ValueError(f"{len(payload)} bytes are too few for the blocks of {columns} columns.")
    *others, last = columns_of_blocks(rows, columns)
    values, start = [], 0
    for size in others:
        length, start = from_varint(payload, start)
        if start + length > len(payload):
            raise ValueError(f"{length} bytes of a block are not there.")
        values.append(coder.decode(payload[start : start + length], rows, size))
        start += length
    values.append(coder.decode(payload[start:], rows, last))
    return tf.concat(values, axis=1)
