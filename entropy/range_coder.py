"""TFC's range coder over tables of probabilities, in one or several passes over the symbols.

Where tables depend on symbols already decoded, a decoder cannot choose all of them at once, so both
sides work pass by pass on one string.
"""

from __future__ import annotations

from typing import Callable, Iterable, List, NamedTuple, Sequence, Tuple

import numpy as np
import tensorflow as tf

from processor.stack import range_coder

LARGEST_SYMBOL = 2**23
"""Magnitude of the largest symbol that encoders write. TFC's encoder hangs at 2**30."""

SLACK_BYTES = 16
"""What a string may lack of the fewest bytes that its symbols take.

The coder omits zeros at the end. Those are a byte or three, but more if the code of all symbols
lies at a multiple of a power of two, which has probability 2**-(8 * bytes).
"""

_LEAST_TAIL = 4096
_TAIL_BYTES_PER_SYMBOL = 3


class DamagedData(ValueError):
    """The data are not what an encoder makes of symbols with these tables."""


class Tables(NamedTuple):
    """Probability tables, as checkpoints keep them.

    Attributes:
        lookup: int32 ``[entries]``, all tables in a row, in the coder's own form.
        offsets: int32 ``[tables]``: the symbol of each table's first probability.
    """

    lookup: tf.Tensor
    offsets: tf.Tensor

    def encode(self, passes: Iterable[Tuple[tf.Tensor, tf.Tensor]]) -> bytes:
        """Codes passes of ``(tables, symbols)``, int32 of equal shape each."""
        handle = range_coder.create_range_encoder([], self.lookup)
        for tables, symbols in passes:
            relative = symbols - tf.gather(self.offsets, tables)
            handle = range_coder.entropy_encode_index(handle, tables, relative)
        return range_coder.entropy_encode_finalize(handle).numpy()

    def bits(self, tables: np.ndarray, symbols: np.ndarray) -> np.ndarray:
        """What symbols cost, float64, except for the few bytes at a string's end.

        Args:
            tables: int table numbers, all of tables with an escape.
            symbols: int, same shape.
        """
        lookup = self.lookup.numpy()
        # A table: its precision, negative; then the cumulative counts of its symbols and escape.
        starts = np.flatnonzero(lookup < 0)
        sizes = (np.append(starts[1:], len(lookup)) - starts - 3)[tables]
        place = symbols.astype(np.int64) - self.offsets.numpy()[tables]
        outside = (place < 0) | (place >= sizes)
        entries = starts[tables] + 1 + np.where(outside, sizes, place)
        counts = lookup[entries + 1] - lookup[entries]
        # After the escape come a sign and the distance from the table as an Elias gamma code.
        distance = np.maximum(np.where(place < 0, -place, place - sizes + 1), 1)
        behind = np.where(outside, 2 + 2 * np.floor(np.log2(distance)), 0.0)
        return -lookup[starts][tables] - np.log2(counts) + behind

    def least_bits(self) -> np.ndarray:
        """Of each table, a lower bound of what a symbol costs: int64, in ``2**-16`` bits.

        A symbol of probability p takes -log2(p) bits, which is more than 1 - p. Whole numbers, so
        that all machines agree on which strings are too short.
        """
        lookup = self.lookup.numpy().astype(np.int64)
        # A table: its precision, 0, and the cumulative counts up to 2**precision.
        starts = np.flatnonzero(lookup == 0) - 1
        counts = np.diff(lookup, append=0)
        counts[starts] = counts[starts[1:] - 1] = counts[-1] = 0
        return 2**16 - (np.maximum.reduceat(counts, starts) << (16 - np.abs(lookup[starts])))

    def decoder(self, data: bytes, symbols: int) -> Callable[[tf.Tensor], tf.Tensor]:
        """A function that decodes one pass: int32 table numbers to int32 symbols.

        Almost any bytes decode to something: to know whether an encoder wrote them, encode the
        symbols again and compare.

        Args:
            data: range-coded bytes.
            symbols: how many all passes have together.
        """
        # Beyond the end TFC's decoder reads zeros, and an escape's code ends with its first one:
        # it would never return. What it gets instead are ones, further behind the end than an
        # encoder's string reaches, and enough for all symbols: 16 are an escape, 2 its code. The
        # first escapes among them may still read what stood before, and take 10 bytes each.
        zeros_end = len(data) + SLACK_BYTES
        ones_end = zeros_end + _LEAST_TAIL + _TAIL_BYTES_PER_SYMBOL * symbols
        data = data.ljust(zeros_end, b"\0").ljust(ones_end, b"\xff")
        handle = range_coder.create_range_decoder(data, self.lookup)

        def decode(tables: tf.Tensor) -> tf.Tensor:
            nonlocal handle
            try:
                handle, relative = range_coder.entropy_decode_index(
                    handle, tables, tables.shape, tf.int32
                )
            except tf.errors.InvalidArgumentError as error:
                raise DamagedData("range-coded bytes end in the middle of a code.") from error
            # In 64 bits: an escape holds any 32, to which an offset is added.
            offsets = tf.cast(tf.gather(self.offsets, tables), tf.int64)
            decoded = tf.cast(relative, tf.int64) + offsets
            if tf.reduce_any(tf.abs(decoded) > LARGEST_SYMBOL):
                raise DamagedData(f"a symbol is beyond {LARGEST_SYMBOL}.")
            return tf.cast(decoded, tf.int32)

        return decode


def fewest_bytes(least_bits: int) -> int:
    """The fewest bytes of a string.

    Args:
        least_bits: sum of `Tables.least_bits` over its symbols.
    """
    return max(0, least_bits // (8 * 2**16) - SLACK_BYTES)


def lookup_rows(
    probabilities: Sequence[np.ndarray], precision: int, *, overflow: bool
) -> np.ndarray:
    """The ``lookup`` of tables.

    Args:
        probabilities: one float array ``[symbols]`` per table.
        precision: bits of the coder's probabilities, 1 to 16.
        overflow: whether the rest to 1 is the probability of an escape, after which any other
            symbol follows as an Elias gamma code.

    Returns:
        int32 ``[entries]``.

    Raises:
        ValueError: a table has more symbols, with the escape, than the precision can tell apart.
    """
    entries: List[np.ndarray] = []
    for masses in probabilities:
        masses = np.asarray(masses, np.float32)
        if overflow:
            masses = np.append(masses, max(0.0, 1.0 - float(masses.sum(dtype=np.float64))))
        if len(masses) > 2**precision:  # TFC would end the process.
            raise ValueError(
                f"range_coder_precision={precision} can tell apart {2**precision} symbols, but a "
                f"table has {len(masses)}."
            )
        cdf = range_coder.pmf_to_quantized_cdf(masses.astype(np.float32), precision=precision)
        entries += [[-precision if overflow else precision], cdf.numpy()]
    return np.concatenate(entries).astype(np.int32)
