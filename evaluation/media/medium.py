"""The record of a medium: everything that images and audio do in their own way."""

from __future__ import annotations

import dataclasses
import hashlib
import pathlib
from typing import Any, Callable, Dict, Iterator, Mapping, Optional, Sequence, Tuple

import numpy as np

Row = Mapping[str, Any]
"""One measured file: column of the CSV -> value."""

_ESTIMATES = ("noise", "training", "rounded", "fixed_length")


@dataclasses.dataclass(frozen=True, eq=False)
class Medium:
    """One kind of file.

    A *signal* is what a codec's ``encode`` takes: ``(pixels,)`` or ``(samples, sample_rate)``.

    Attributes:
        name: "image" or "audio": the ``medium`` of data, models and distortions.
        content: what models code, in messages.
        files: what the files are called.
        unit: what differences between two of them are counted in.
        dtype: of decoded files.
        rate: unit of the rate, its key in JSON results and its CSV column.
        rate_label: the unit in words.
        rate_definition: what tables say about it.
        rate_digits: after the decimal point, in tables.
        log_rates: whether figures have a logarithmic rate axis.
        size_columns: CSV columns of a file's size.
        refines: whether rows tell side information and refinement.
        training_size: data setting for the size of training examples.
        examples: number of files that a report keeps to look at or to listen to.
        codec: class of the learned codec.
        header_bytes: the most that a coded file spends outside its payload.
        lossless: suffixes of file formats that do not alter a decoded signal.
        read: path -> signal; a ValueError if the file is damaged.
        write: (decoded, lossless suffix) -> bytes; a ValueError if the format cannot hold it.
        whole_files: (data source, split) -> named images or recordings.
        signal: named file, or what a codec decoded -> signal.
        size: signal -> ``size_columns``.
        size_text: size -> the size in words.
        rate_of: (bits, size) -> rate.
        comparable: decoded values -> the scale of originals, for metrics.
        training_example: (named file, transforms) -> [height, width, channels] as models take it.
        classical: names of the classical codecs that reports compare with.
        cells: () -> how figures draw a file.
        remarks: rows -> lines that end a report's table.
        warning: (name, signal) of a file -> what a reader must know of it, or None.
        write_example: (path, file, versions by name) -> folder of files to listen to, if any.
    """

    name: str
    content: str
    files: str
    unit: str
    dtype: Any
    rate: str
    rate_label: str
    rate_definition: str
    rate_digits: int
    log_rates: bool
    size_columns: Tuple[str, ...]
    refines: bool
    training_size: str
    examples: int
    codec: Callable[..., Any]
    header_bytes: int
    lossless: Tuple[str, ...]
    read: Callable[[str], Tuple]
    write: Callable[[Any, str], bytes]
    whole_files: Callable[[Any, str], Iterator]
    signal: Callable[[Any], Tuple]
    size: Callable[[Tuple], Dict[str, int]]
    size_text: Callable[[Row], str]
    rate_of: Callable[[float, Row], float]
    comparable: Callable[[np.ndarray], np.ndarray]
    training_example: Callable[[Any, Any], np.ndarray]
    classical: Tuple[str, ...]
    cells: Callable[[], Any]
    remarks: Callable[[Sequence[Row]], Sequence[str]] = lambda rows: ()
    warning: Callable[[str, Tuple], Optional[str]] = lambda name, signal: None
    write_example: Callable[..., Optional[pathlib.Path]] = lambda path, file, versions: None

    @property
    def metrics(self) -> Tuple:
        """The medium's `Metric` records; the first is the one compared by default."""
        from evaluation.metrics import METRICS  # Each refers to its medium.

        return tuple(metric for metric in METRICS.values() if metric.medium.name == self.name)

    def digest(self, file: Any) -> str:
        """SHA-256 of content, shape and any sample rate of a named file, as hex digits."""
        values, *rest = self.signal(file)
        digest = hashlib.sha256(repr((*rest, values.shape) if rest else values.shape).encode())
        digest.update(np.ascontiguousarray(values))
        return digest.hexdigest()

    def scores(self, file: Any, decoded: np.ndarray) -> Dict[str, float]:
        """All metrics of a reconstruction: CSV column -> value.

        Args:
            file: the named original.
            decoded: uint8 pixels, or float samples from -1 to 1.
        """
        original, *rest = self.signal(file)
        return {each.column: each.function(original, decoded, *rest) for each in self.metrics}

    def with_rates(self, row: Row) -> Row:
        """A row together with the rates that follow from its bits and size."""
        bits = {kind: row[f"bits_{kind}"] for kind in _ESTIMATES}
        if self.refines:
            bits["side"] = row["bits_side"]
        rates = {f"{self.rate}_{kind}": self.rate_of(bits[kind], row) for kind in bits}
        return {**row, **rates, self.rate: self.rate_of(row["bits_coded"], row)}

    @property
    def columns(self) -> Tuple[str, ...]:
        """Columns of the CSV, in order."""
        return (
            "file",
            "sha256",
            *self.size_columns,
            *(f"bits_{kind}" for kind in ("noise", "training", "rounded", "coded", "fixed_length")),
            f"{self.metrics[0].column}_training",
            *(metric.column for metric in self.metrics),
            "encode_seconds",
            "decode_seconds",
            *(("bits_side", "refine_steps", "refine_seconds") if self.refines else ()),
            *(f"{self.rate}_{kind}" for kind in _ESTIMATES),
            self.rate,
        )

    @property
    def points(self) -> Dict[str, str]:
        """Quantity in JSON results -> column that it is the mean of, in order."""
        first, rate = self.metrics[0], self.rate
        return {
            rate: rate,
            **{metric.key: metric.column for metric in self.metrics},
            f"{first.key}-training": f"{first.column}_training",
            **{f"{rate}-{kind}": f"{rate}_{kind}" for kind in ("noise", "training", "rounded")},
            **({f"{rate}-side": f"{rate}_side"} if self.refines else {}),
            f"{rate}-fixed-length": f"{rate}_fixed_length",
            "encoding_time": "encode_seconds",
            "decoding_time": "decode_seconds",
            **({"refining_time": "refine_seconds"} if self.refines else {}),
        }

    @property
    def compared(self) -> Tuple[str, ...]:
        """Quantities that comparisons read from a CSV, where it has them."""
        return (self.rate, *(metric.key for metric in self.metrics))

    def mean(self, quantity: str, rows: Sequence[Row]) -> float:
        """The mean of a quantity over measured files, as in published results.

        One infinite value makes it infinite: leaving out such files would average quality and rate
        over different files.
        """
        values = np.array([row[self.points[quantity]] for row in rows], np.float64)
        return self.mean_of_values(quantity, values)

    def mean_of_values(self, quantity: str, values: np.ndarray) -> float:
        """As `mean`, of float64 [files]."""
        key = quantity.removesuffix("-training")
        partial = any(metric.key == key and metric.partial for metric in self.metrics)
        if partial and not np.isnan(values).all():
            values = values[~np.isnan(values)]
        return float(np.mean(values))
