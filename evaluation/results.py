"""Rate-distortion results as files: JSON in the field's exchange schema, per-file rows as CSV.

The schema is that of CompressAI's published results: ``name``, ``description`` and ``results``,
which maps each quantity to a list of means over the files, one for each operating point.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
import pathlib
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from evaluation.media import MEDIA, Medium, Row, medium_of
from evaluation.metrics import METRICS
from signals.files import write_atomically, write_table

OBJECTIVE = ("distortion", "loss")
"""Columns of files that a trained run coded: what it was trained for."""


class Dataset(NamedTuple):
    """Which pixels or samples were measured. Results compare only if the digests are equal."""

    name: str
    files: int
    sha256: str

    @classmethod
    def from_digests(cls, name: str, digests: Sequence[str]) -> Dataset:
        """From the digests of the original files, in any order."""
        joined = "\n".join(sorted(digests))
        return cls(name, len(digests), hashlib.sha256(joined.encode()).hexdigest())


@dataclasses.dataclass(frozen=True)
class Results:
    """A rate-distortion curve of one codec on one dataset.

    Attributes:
        name: of the codec, for legends.
        description: one line on how the numbers were obtained.
        points: quantity -> one value for each operating point; always the rate, ``bpp`` or
            ``kbps``. NaN for a value that is not known.
        dataset: what was measured; None if a published file does not say.
        rows: the measured files, of a single operating point.
        provenance: what made these results.
        metrics: quantity -> definition stated in the file. Equal definition, equal metric.
    """

    name: str
    description: str
    points: Dict[str, List[float]]
    dataset: Optional[Dataset] = None
    rows: Tuple[Row, ...] = ()
    provenance: Dict[str, Any] = dataclasses.field(default_factory=dict)
    metrics: Dict[str, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Row],
        *,
        name: str,
        description: str,
        dataset: str,
        provenance: Optional[Dict[str, Any]] = None,
    ) -> Results:
        """One operating point: the means over the files."""
        medium = medium_of(rows[0])
        return cls(
            name=name,
            description=description,
            points={quantity: [medium.mean(quantity, rows)] for quantity in medium.points},
            dataset=Dataset.from_digests(dataset, [row["sha256"] for row in rows]),
            rows=tuple(rows),
            provenance=dict(provenance or {}),
        )

    @property
    def point(self) -> Dict[str, float]:
        """Rate and qualities of the first operating point."""
        keys = (self.medium.rate, *(metric.key for metric in self.medium.metrics))
        return {key: self.points[key][0] for key in keys if key in self.points}

    @property
    def medium(self) -> Medium:
        """Images or audio."""
        return medium_of(self.points)


def write_results(results: Results, path: pathlib.Path) -> None:
    """Writes ``path`` (JSON) and, if there are rows, a CSV of the same name beside it.

    Values that are not finite become null, because JSON has no token for them.
    """
    path = pathlib.Path(path)
    if results.rows:
        known = [key for key in OBJECTIVE if key in results.rows[0]]
        write_table(path.with_suffix(".csv"), (*results.medium.columns, *known), results.rows)
    document = {
        "name": results.name,
        "description": results.description,
        "dataset": results.dataset and results.dataset._asdict(),
        "results": results.points,
        "metrics": {key: METRICS[key].definition for key in results.points if key in METRICS},
        "provenance": results.provenance,
    }
    write_atomically(path, (json_text(document) + "\n").encode())


def read_results(path: pathlib.Path) -> Results:
    """Reads a results file, ours or a published one, without per-file rows.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it does not follow the schema; names the file and the key.
    """
    try:
        document = json.loads(pathlib.Path(path).read_bytes(), parse_constant=_refuse_constant)
    # RecursionError: lists in lists, deeper than Python follows.
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a JSON results file: {error}") from error
    points = document.get("results") if isinstance(document, dict) else None
    if not isinstance(points, dict):
        raise ValueError(f"{path}: 'results' must map quantities to lists, got {points!r:.60}")
    medium = medium_of(points)
    if medium is None:
        rates = " or ".join(repr(medium.rate) for medium in MEDIA.values())
        raise ValueError(f"{path}: 'results' must have the key {rates}, got {sorted(points)}")
    rate = medium.rate
    if points[rate] == []:
        raise ValueError(f"{path}: results['{rate}'] must have at least one point, got none")
    for key, values in points.items():
        if not isinstance(values, list) or not all(_is_number_or_null(value) for value in values):
            raise ValueError(f"{path}: results['{key}'] must be a list of numbers or null")
        if len(values) != len(points[rate]):
            raise ValueError(
                f"{path}: results['{key}'] must be as long as results['{rate}'] "
                f"({len(points[rate])}), got {len(values)}"
            )
    return Results(
        name=" ".join(str(document.get("name", "")).split()) or pathlib.Path(path).stem,
        description=str(document.get("description", "")),
        points={
            key: [math.nan if value is None else float(value) for value in values]
            for key, values in points.items()
        },
        dataset=_dataset(document.get("dataset")),
        provenance=_provenance(document.get("provenance"), len(points[rate])),
        metrics=document["metrics"] if isinstance(document.get("metrics"), dict) else {},
    )


def _dataset(stated: Any) -> Optional[Dataset]:
    """The dataset, or None: other tools may store something else under this name."""
    if not isinstance(stated, dict) or set(stated) != set(Dataset._fields):
        return None
    dataset = Dataset(**stated)
    types = zip(dataset, (str, int, str))
    return dataset if all(isinstance(value, kind) for value, kind in types) else None


def _provenance(stated: Any, points: int) -> Dict[str, Any]:
    """What made the results, without entries that are not what this project writes there.

    Text and lists, which others write, are kept under ``note``.
    """
    if not isinstance(stated, dict):
        return {"note": stated} if stated else {}
    qualities, refinement = stated.get("qualities"), stated.get("refinement")
    good = {
        "config": isinstance(stated.get("config"), dict),
        "git": isinstance(stated.get("git"), dict),
        "qualities": isinstance(qualities, list) and len(qualities) == points,
        "refinement": isinstance(refinement, dict) and isinstance(refinement.get("name"), str),
        "stages": isinstance(stated.get("stages"), int),
        "objective": isinstance(stated.get("objective"), dict),
        "missing_packages": isinstance(stated.get("missing_packages"), list),
    }
    return {key: value for key, value in stated.items() if good.get(key, True)}


def json_text(document: Any) -> str:
    """JSON of a document, with null for numbers that are not finite."""
    return json.dumps(_without_infinities(document), indent=2, allow_nan=False)


def _without_infinities(value):
    if isinstance(value, dict):
        return {key: _without_infinities(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_infinities(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _is_number_or_null(value):
    if isinstance(value, int):  # A larger one is no float.
        return not isinstance(value, bool) and abs(value) < 2**1023
    return value is None or isinstance(value, float)


def _refuse_constant(token):
    raise ValueError(f"{token} is not JSON")
