"""What the entropy models of integers share: settings, tables on grids, and the coding."""

from __future__ import annotations

import functools
import math
from typing import Callable, List, Optional, Sequence, Tuple

import numpy as np
import tensorflow as tf

from entropy.range_coder import DamagedData, Tables, fewest_bytes, lookup_rows

_COARSE_BITS = 3
"""Probabilities of fewer than 2**3 counts of the range coder are rounded too coarsely to ignore."""


class IntegerCoder(tf.Module):
    """Base of entropy models for integer symbols on one or several grids.

    A subclass chooses the table of every symbol (``_rows``) and builds the tables (``freeze``).
    They are variables, so a checkpoint holds them and a decoder never computes them again.
    """

    kind = "integers"

    def __init__(
        self,
        *,
        channels: int,
        alphabet,
        tail_mass: float = 2**-16,
        range_coder_precision: int = 16,
    ):
        """Checks and keeps the settings.

        Args:
            channels: number of latent channels, at least 1.
            alphabet: the quantizer's, of integers, see ``quantizers.base.contract``.
            tail_mass: probability outside the tables, in (0, 1); symbols there are coded by an
                escape and an Elias gamma code, so every integer can be coded.
            range_coder_precision: bits of the coder's probabilities, 1 to 16.

        Raises:
            ValueError: an argument is out of its range, or the alphabet has indices.
        """
        super().__init__(name=type(self).__name__)
        if alphabet.kind != self.kind:
            raise ValueError(
                f"entropy={type(self).__name__} codes {self.kind}, but the quantizer yields "
                f"{alphabet.kind}."
            )
        if channels < 1:
            raise ValueError(f"channels={channels} must be at least 1.")
        if not 0 < tail_mass < 1:
            raise ValueError(f"tail_mass={tail_mass} must lie between 0 and 1.")
        if not 1 <= range_coder_precision <= 16:
            raise ValueError(f"range_coder_precision={range_coder_precision} must be 1 to 16.")
        most = 2 ** (range_coder_precision - 1)
        if alphabet.size is not None and alphabet.size > most:
            raise ValueError(
                f"quantizer.levels={alphabet.size} must be at most {most}, half of what "
                f"range_coder_precision={range_coder_precision} can tell apart."
            )
        self._channels = channels
        self._size = alphabet.size
        self._grids = tuple(alphabet.grids)
        self._tail_mass = tail_mass
        self._precision = range_coder_precision
        self._lookup = _empty_table("lookup")
        self._offsets = _empty_table("offsets")

    @property
    def frozen(self) -> bool:
        """Whether the coding tables exist."""
        return bool(tf.size(self._lookup) > 0)

    @property
    def bounded(self) -> bool:
        """Whether tables hold all symbols that there are, and no escape.

        In older runs, alphabets of any size have tables with an escape.
        """
        return self._size is not None and not (self.frozen and self._lookup[0] < 0)

    def fixed_length_bits(self, symbols: int) -> float:
        """Bits of so many symbols of a bounded alphabet if all cost the same."""
        return symbols * math.log2(self._size)

    def expect(self, spreads: Sequence[float]) -> None:
        """Starts from standard deviations ``[channels]`` of the untrained model's latents."""

    def freeze(self) -> None:
        """Builds the coding tables."""
        raise NotImplementedError

    def compress(self, symbols: tf.Tensor, layout, indexes: Optional[tf.Tensor] = None) -> bytes:
        """Range-codes symbols.

        Args:
            symbols: int32 ``[height, width, channels]``, each of magnitude up to 2**23.
            layout: the quantizer's, see ``quantizers.base.grids``.
            indexes: int32, same shape: scale indexes, where the model is conditional.
        """
        data = self._tables().encode(
            (
                self._rows(layout.grids_of(number, symbols), channels, indexes),
                tf.gather(symbols, channels, axis=-1),
            )
            for number, channels in enumerate(layout.passes)
        )
        return data.ljust(self._fewest_bytes(*symbols.shape), b"\0")

    def decompress(
        self,
        data: bytes,
        height: int,
        width: int,
        layout,
        indexes: Optional[tf.Tensor] = None,
    ) -> tf.Tensor:
        """Decodes what ``compress`` gave.

        Returns:
            int32 ``[height, width, channels]``.

        Raises:
            ValueError: ``compress`` does not make exactly these data of any such symbols.
        """
        reader = self.reader(data, height, width, sum(map(len, layout.passes)))
        symbols = reader.read(layout, indexes)
        reader.finish()
        return symbols

    def reader(self, data: bytes, height: int, width: int, channels: int) -> SymbolReader:
        """Decodes what ``compress`` gave, one group of channels with its layout at a time.

        Raises:
            ValueError: the data are too few for so many symbols, whatever these are.
        """
        fewest = self._fewest_bytes(height, width, channels)
        return SymbolReader(self._tables(), self._rows, data, (height, width, channels), fewest)

    def _fewest_bytes(self, height: int, width: int, channels: int) -> int:
        """Of the string of so many symbols: known before any is, and never less."""
        least = self._least_bits().reshape(len(self._grids), -1).min(axis=0)
        return fewest_bytes(height * width * self._least_of_position(least, channels))

    def _least_of_position(self, least: np.ndarray, channels: int) -> int:
        """What all channels of a position cost at least.

        Args:
            least: int64 ``[tables of a grid]``, the least of each table, whatever the grid.
            channels: that are coded.
        """
        raise NotImplementedError

    def _rows(
        self, grids: tf.Tensor, channels: np.ndarray, indexes: Optional[tf.Tensor]
    ) -> tf.Tensor:
        """Table numbers of the symbols of one pass, int32."""
        raise NotImplementedError

    def _least_bits(self) -> np.ndarray:
        """What each table's symbols cost at least, grid by grid: int64 ``[tables]``."""
        return self._tables().least_bits()

    def _set_tables(self, masses: List[np.ndarray], firsts: List[int]) -> None:
        """Takes each table's probabilities and the symbol of the first of them."""
        overflow = self._size is None
        self._lookup.assign(lookup_rows(masses, self._precision, overflow=overflow))
        self._offsets.assign(firsts)

    def _tables(self) -> Tables:
        if not self.frozen:
            raise RuntimeError("freeze() builds the tables before anything can be coded.")
        return Tables(self._lookup.value(), self._offsets.value())

    def _box(self, values: tf.Tensor) -> Tuple[tf.Tensor, tf.Tensor]:
        """Ends of the unit box around values, of which a bounded alphabet has only its own part."""
        if self._size is None:
            return values - 0.5, values + 0.5
        ends = -0.5, self._size - 0.5
        values = tf.clip_by_value(values, *ends)
        return tuple(tf.clip_by_value(values + side, *ends) for side in (-0.5, 0.5))

    def _kept_apart(self, logarithms: tf.Tensor) -> tf.Tensor:
        """Natural logarithms of probabilities of which none is below one unit of the coder."""
        unit = 2.0**-self._precision
        return tf.math.log((1 - self._size * unit) * tf.exp(logarithms) + unit)

    def _in_whole_counts(
        self, bits: np.ndarray, symbols: tf.Tensor, layout, indexes: Optional[tf.Tensor] = None
    ) -> np.ndarray:
        """Bits under the density, except for rare symbols: theirs are what the tables give them."""
        rows = self._rows(self._grids_of(symbols, layout), np.arange(self._channels), indexes)
        rare = bits > self._precision - _COARSE_BITS
        return np.where(rare, self._tables().bits(rows.numpy(), symbols.numpy()), bits)

    @staticmethod
    def _grids_of(symbols: tf.Tensor, layout) -> np.ndarray:
        """Grid numbers int32 of all symbols."""
        grids = np.zeros(symbols.shape, np.int32)
        for number, channels in enumerate(layout.passes):
            grids[..., channels] = layout.grids_of(number, symbols)
        return grids

    def _cells(self, symbols: tf.Tensor, layout) -> Tuple[tf.Tensor, tf.Tensor]:
        """Lower and upper ends float32 of the symbols' cells on their grids."""
        grids = self._grids_of(symbols, layout)

        def on_the_line(points):
            places = self._grids[0](points)
            for number, grid in enumerate(self._grids[1:], start=1):
                places = tf.where(grids == number, grid(points), places)
            return places

        points = tf.cast(symbols, tf.float32)
        return on_the_line(points - 0.5), on_the_line(points + 0.5)


class SymbolReader:
    """Decodes one string piece by piece; a piece's tables may follow from the pieces before it."""

    def __init__(
        self,
        tables: Tables,
        rows_of: Callable,
        data: bytes,
        shape: Tuple[int, int, int],
        fewest: int,
    ):
        """Starts at the beginning.

        Args:
            tables: the tables.
            rows_of: ``IntegerCoder._rows``.
            data: range-coded data.
            shape: height, width and channels of all symbols.
            fewest: bytes that they take.

        Raises:
            ValueError: there are fewer bytes.
        """
        self._tables = tables
        self._rows_of = rows_of
        self._data = data
        self._shape = shape
        self._fewest = fewest
        if len(data) < fewest:  # Before anything is allocated for them.
            raise self._damage()
        self._passes: List[Tuple[tf.Tensor, tf.Tensor]] = []

    @functools.cached_property
    def _decode(self) -> Callable[[tf.Tensor], tf.Tensor]:
        return self._tables.decoder(self._data, math.prod(self._shape))

    def read(self, layout, indexes: Optional[tf.Tensor] = None) -> tf.Tensor:
        """The next symbols int32 ``[height, width, channels of the layout]``.

        Raises:
            ValueError: the data are not of such symbols.
        """
        symbols = np.zeros([*self._shape[:2], sum(map(len, layout.passes))], np.int32)
        for number, channels in enumerate(layout.passes):
            grids = layout.grids_of(number, tf.constant(symbols))
            rows = self._rows_of(grids, channels, indexes)
            try:
                decoded = self._decode(rows)
            except DamagedData as error:
                raise self._damage() from error
            symbols[..., channels] = decoded
            self._passes.append((rows, decoded))
        return tf.constant(symbols)

    def finish(self) -> None:
        """Raises ValueError unless an encoder makes exactly these data of the symbols read."""
        # Coding once more takes milliseconds, and almost any bytes decode to something.
        if self._tables.encode(self._passes).ljust(self._fewest, b"\0") != self._data:
            raise self._damage()

    def _damage(self) -> ValueError:
        return ValueError(
            f"data: {len(self._data)} range-coded bytes do not decode to "
            f"{' x '.join(map(str, self._shape))} symbols."
        )


def edges_beyond(grid, lower: float, upper: float) -> Tuple[int, np.ndarray]:
    """Cells of a grid that reach beyond two points: symbol of the first, and all float32 ends."""
    # A grid has no inverse, but it is increasing: the reach doubles until it is enough.
    reach = 2
    while grid(tf.constant(-float(reach))) > lower or grid(tf.constant(float(reach))) < upper:
        reach *= 2
    return -reach, grid(tf.range(-reach - 0.5, reach + 1.0)).numpy()


def _empty_table(name: str) -> tf.Variable:
    # The length is known only when the tables are built; a restored checkpoint brings its own.
    return tf.Variable(
        np.zeros([0], np.int32), trainable=False, shape=tf.TensorShape([None]), name=name
    )
