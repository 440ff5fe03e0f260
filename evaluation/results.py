"""Rate-distortion results as files: JSON in the field's exchange schema, per-file rows as CSV.

The schema is that of CompressAI's published results: ``name``, ``description`` and ``results``,
which maps each quantity to a list with one entry an operating point: a mean over the files.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import math
import pathlib
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from evaluation.media import MEDIA, Medium
from evaluation.metrics import audio as audio_metrics
from evaluation.metrics import image as metrics
from signals.files import write_atomically

_DEFINITIONS = {**metrics.DEFINITIONS, **audio_metrics.DEFINITIONS}


class Dataset(NamedTuple):
    """Which pixels or samples were measured: results compare only where the digests are equal."""

    name: str
    files: int
    sha256: str

    @classmethod
    def from_digests(cls, name: str, digests: Sequence[str]) -> Dataset:
        """From the digests of the original files; their order does not matter."""
        joined = "\n".join(sorted(digests))
        return cls(name, len(digests), hashlib.sha256(joined.encode()).hexdigest())


@dataclasses.dataclass(frozen=True)
class Results:
    """A rate-distortion curve of one codec on one dataset.

    Attributes:
        name: The codec, as legends show it.
        description: One line on how the numbers came about.
        points: Quantity -> one value an operating point, equally many of each: ``bpp`` or ``kbps``
            always, the qualities of the medium usually. NaN where there is no number.
        dataset: What was measured; None in published files that do not say.
        rows: The measured files (`FileRow` or `AudioFileRow`), where there is one operating point.
        provenance: What made these results.
        metrics: Quantity -> its definition, as the file states it: equal words, equal metric.
    """

    name: str
    description: str
    points: Dict[str, List[float]]
    dataset: Optional[Dataset] = None
    rows: Tuple[Any, ...] = ()
    provenance: Dict[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Any],
        *,
        name: str,
        description: str,
        dataset: str,
        provenance: Optional[Dict[str, Any]] = None,
    ) -> Results:
        """One operating point: means over the files as `Medium.mean` takes them."""
        medium = rows[0].medium
        return cls(
            name=name,
            description=description,
            points={quantity: [medium.mean(quantity, rows)] for quantity in medium.points},
            dataset=Dataset.from_digests(dataset, [row.sha256 for row in rows]),
            rows=tuple(rows),
            provenance=dict(provenance or {}),
        )

    @property
    def medium(self) -> Medium:
        """Images or sound: told by the rate."""
        return _medium(self.points)


def write_results(results: Results, path: pathlib.Path) -> None:
    """Writes `path` (JSON) and, where there are rows, the CSV of the same name beside it.

    Values that are not finite become null: JSON has no token for them.
    """
    path = pathlib.Path(path)
    if results.rows:
        write_atomically(path.with_suffix(".csv"), _csv(results.rows).encode())
    document = {
        "name": results.name,
        "description": results.description,
        "dataset": results.dataset and results.dataset._asdict(),
        "results": results.points,
        "metrics": {key: _DEFINITIONS[key] for key in results.points if key in _DEFINITIONS},
        "provenance": results.provenance,
    }
    text = json.dumps(_without_infinities(document), indent=2, allow_nan=False)
    write_atomically(path, (text + "\n").encode())


def read_results(path: pathlib.Path) -> Results:
    """Reads a results file, ours or a published one (without per-file rows).

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It does not follow the schema; names the file and the key.
    """
    try:
        document = json.loads(pathlib.Path(path).read_bytes(), parse_constant=_refuse_constant)
    except ValueError as error:
        raise ValueError(f"{path} is not a JSON results file: {error}") from error
    points = document.get("results") if isinstance(document, dict) else None
    if not isinstance(points, dict):
        raise ValueError(f"{path}: 'results' must map quantities to lists, got {points!r:.60}")
    if _medium(points) is None:
        rates = " or ".join(repr(medium.rate) for medium in MEDIA)
        raise ValueError(f"{path}: 'results' must have the key {rates}, got {sorted(points)}")
    rate = _medium(points).rate
    for key, values in points.items():
        if not isinstance(values, list) or not all(_is_number_or_null(value) for value in values):
            raise ValueError(f"{path}: results['{key}'] must be a list of numbers or null")
        if len(values) != len(points[rate]):
            raise ValueError(
                f"{path}: results['{key}'] must be as long as results['{rate}'] "
                f"({len(points[rate])}), got {len(values)}"
            )
    dataset = document.get("dataset")
    # Files of other tools may keep something else under this name; it cannot be compared with ours.
    known = isinstance(dataset, dict) and set(dataset) == set(Dataset._fields)
    return Results(
        name=str(document.get("name", pathlib.Path(path).stem)),
        description=str(document.get("description", "")),
        points={
            key: [math.nan if value is None else float(value) for value in values]
            for key, values in points.items()
        },
        dataset=Dataset(**dataset) if known else None,
        provenance=document.get("provenance") or {},
        metrics=document["metrics"] if isinstance(document.get("metrics"), dict) else {},
    )


def _medium(points) -> Optional[Medium]:
    return next((medium for medium in MEDIA if medium.rate in points), None)


def _csv(rows):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    rates = rows[0].medium.rates
    writer.writerow([*rows[0]._fields, *rates])
    writer.writerows([*row, *(getattr(row, rate) for rate in rates)] for row in rows)
    return text.getvalue()


def _without_infinities(value):
    if isinstance(value, dict):
        return {key: _without_infinities(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_number_or_null(value):
    return value is None or (isinstance(value, (int, float)) and not isinstance(value, bool))


def _refuse_constant(token):
    raise ValueError(f"{token} is no JSON")
