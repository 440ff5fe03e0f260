"""A comparison as one self-contained HTML page: it opens from disk and loads nothing.

``page.js`` draws tables, curves and sliders from one block of JSON; text, notes and provenance are
in the page without it.
"""

from __future__ import annotations

import base64
import html
import io
import json
import pathlib
import re
import string
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from PIL import Image as PillowImage

from evaluation.comparison.by_file import ByFile
from evaluation.comparison.comparable import Unranked
from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import seed_band
from evaluation.comparison.page.recordings import Listening
from evaluation.comparison.ranking import Row, columns
from evaluation.figures.crops import Crop
from evaluation.figures.style import COLOURS
from signals.files import write_atomically

_ASSETS = pathlib.Path(__file__).resolve().parent
_DASHES = ("", "8 3", "2 3")


def write_page(
    path: pathlib.Path,
    anchor: Curve,
    rows: Sequence[Row],
    unranked: Sequence[Unranked],
    notes: Sequence[str],
    *,
    dataset: str,
    metrics: Mapping[str, Sequence[Curve]],
    provenance: Mapping[str, Any],
    differences: Tuple[Sequence[str], Sequence[Sequence[str]]] = ((), ()),
    crops: Sequence[Crop] = (),
    recordings: Sequence[Listening] = (),
    contrasts: Sequence[Tuple[Sequence[str], Sequence[Sequence[str]]]] = (),
    files: Optional[Mapping[str, ByFile]] = None,
) -> None:
    """Writes the page.

    Args:
        path: of the HTML file.
        anchor: of the ranking.
        rows: the ranking.
        unranked: what has no place in it.
        notes: below it.
        dataset: its name.
        metrics: label of a metric -> the curves in it, the ranking's metric first.
        provenance: heading -> configurations and versions, as JSON holds them.
        differences: header and rows of the settings in which curves differ.
        crops: image pairs with a slider; none leaves the section out.
        recordings: listening examples; none leaves the section out.
        contrasts: header and rows of the tables of tests; none leaves the section out.
        files: per-file BD-rates of the curves; none leaves the section out.
    """
    drawn = [curve.name for curves in metrics.values() for curve in curves]
    # The order of colours: anchor, ranking, and what is drawn but could not be ranked.
    names = list(dict.fromkeys([anchor.name, *(row.curve.name for row in rows), *drawn]))
    label = anchor.metric.label
    data = {
        "ranking": _ranking(anchor, rows, unranked),
        "contrasts": [
            {"columns": header, "rows": [[_measured(cell) for cell in row] for row in cells]}
            for header, cells in contrasts
        ],
        "files": _files(anchor, files or {}),
        "rateLabel": f"rate ({anchor.metric.medium.rate_label}), mean over {dataset}",
        "metrics": {
            key: {
                "label": key,
                "axis": curves[0].metric.axis,
                "curves": [_drawn(curve, names.index(curve.name)) for curve in curves],
            }
            for key, curves in metrics.items()
        },
        "crops": [_crop(crop) for crop in crops],
        "audio": [
            {"text": each.text, "source": _data_uri("audio/wav", each.wav)} for each in recordings
        ],
    }
    page = string.Template(_asset("page.html")).substitute(
        title=html.escape(f"Codecs compared with {anchor.name} on {dataset}"),
        subtitle=html.escape(
            f"BD-rate at equal {label}: below 0 is fewer bits than {anchor.name}."
        ),
        notes="".join(f"<li>{html.escape(note)}</li>" for note in notes),
        provenance="".join(_details(heading, value) for heading, value in provenance.items()),
        differences=_differences(differences),
        css=_asset("page.css"),
        js=_asset("page.js"),
        # "</script>" in a name would end the block.
        data=json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    )
    write_atomically(path, page.encode())


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _ranking(anchor: Curve, rows, unranked) -> Dict[str, Any]:
    heads = columns(anchor)
    return {
        "columns": ["codec", *heads, "overlap", "points", "seeds"],
        "rows": [
            *(_cells(row, row.curve is anchor) for row in rows),
            *(_unranked_cells(each, len(heads) + 3) for each in unranked),
        ],
        "sortedBy": 1,
    }


def _cells(row: Row, is_anchor: bool) -> List[Dict[str, Any]]:
    rate, interval, p, quality, error, mean, middle, better = row.texts
    seeds = max(map(len, row.curve.seeds), default=None)
    of_files = row.by_file
    return [
        _cell(row.curve.name, row.curve.name),
        _cell(row.bd_rate, "anchor" if is_anchor else rate),
        _cell(row.interval and row.interval.high - row.interval.low, interval),
        _cell(row.interval and row.interval.p, p),
        _cell(row.bd_quality, quality),
        _cell(row.error and row.error.percent, error),
        _cell(of_files and of_files.mean, mean),
        _cell(of_files and of_files.interquartile_mean, middle),
        _cell(of_files and of_files.better, better),
        _cell(row.common.share, f"{row.common.share:.0%}"),
        _cell(len(row.curve.rates), str(len(row.curve.rates))),
        _cell(seeds, "-" if seeds is None else str(seeds)),
    ]


def _unranked_cells(each: Unranked, others: int) -> List[Dict[str, Any]]:
    """The name, and the reason across all other columns."""
    reason = {"value": None, "text": f"not ranked: {each.reason}", "span": others}
    hidden = {"value": None, "text": "", "span": 0}
    return [_cell(each.name, each.name), reason, *(others - 1) * [hidden]]


def _files(anchor: Curve, files: Mapping[str, ByFile]) -> Optional[Dict[str, Any]]:
    """The BD-rate of each file, in percent."""
    if not files:
        return None
    rows = []
    for k in np.argsort(anchor.file_names):
        name = anchor.file_names[k]
        percents = [float(each.percents[k]) for each in files.values()]
        cells = [_cell(p, f"{p:+.2f}") if np.isfinite(p) else _cell(None, "-") for p in percents]
        rows.append([_cell(name, name), *cells])
    return {"columns": [anchor.metric.medium.files.rstrip("s"), *files], "rows": rows}


def _measured(text: str) -> Dict[str, Any]:
    """A cell that sorts by its first number, or as text."""
    number = re.match(r"(?:< )?([-+]?\d+(?:\.\d+)?)", text)
    return _cell(None if text == "-" else float(number[1]) if number else text, text)


def _cell(value, text: str) -> Dict[str, Any]:
    # Minus signs are as wide as digits; hyphens in names stay.
    text = re.sub(r"(^|(?<=[ (]))-(?=\d)", "\N{MINUS SIGN}", text) if value is not None else text
    return {"value": value, "text": text}


def _drawn(curve: Curve, number: int) -> Dict[str, Any]:
    line = curve.line
    anchor = number == 0
    return {
        "name": curve.name,
        "colour": None if anchor else COLOURS[(number - 1) % len(COLOURS)],
        "dash": "10 4" if anchor else _DASHES[(number - 1) // len(COLOURS) % len(_DASHES)],
        "line": _pairs(10**line.log_rates, line.quality),
        "band": _band(curve, line.log_rates),
        "points": [
            {"rate": float(rate), "quality": float(quality), "text": _tooltip(curve, k)}
            for k, (rate, quality) in enumerate(zip(curve.rates, curve.quality))
        ],
    }


def _band(curve: Curve, at: np.ndarray) -> Optional[Dict[str, Any]]:
    band = seed_band(curve, at)
    if band is None:
        return None
    known = np.isfinite(band).all(axis=0)
    low, high = (_pairs(10 ** at[known], side[known]) for side in band)
    return {"low": low, "high": high}


def _pairs(rates: np.ndarray, quality: np.ndarray) -> List[List[float]]:
    return np.stack([rates, quality], axis=1).round(5).tolist()


def _tooltip(curve: Curve, k: int) -> str:
    """Text of a point: codec, setting, rate, quality and the range over seeds."""
    lines = [curve.name]
    if curve.settings:
        lines.append(curve.settings[k])
    metric = curve.metric
    rate = f"{curve.rates[k]:.4f} {metric.medium.rate}"
    lines.append(f"{rate}, {metric.label} {curve.quality[k]:.2f} {metric.unit}")
    if curve.file_quality is not None and len(curve.file_quality[k]) > 1:
        seeds = metric.decibels(curve.file_quality[k].mean(axis=1))
        lines.append(f"{len(seeds)} seeds: {seeds.min():.2f} to {seeds.max():.2f} {metric.unit}")
    return "\n".join(lines)


def _crop(crop: Crop) -> Dict[str, str]:
    return {
        "name": crop.name,
        "codec": crop.codec,
        "original": _png(crop.original),
        "decoded": _png(crop.decoded),
        "text": f"{crop.name}, {crop.codec}: {crop.bpp:.3f} bpp, {crop.psnr:.2f} dB",
    }


def _png(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG", optimize=True)
    return _data_uri("image/png", file.getvalue())


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _details(heading: str, value: Any) -> str:
    text = html.escape(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return f"<details><summary>{html.escape(heading)}</summary><pre>{text}</pre></details>\n"


def _differences(table: Tuple[Sequence[str], Sequence[Sequence[str]]]) -> str:
    """An HTML table, empty without rows."""
    header, rows = table
    if not rows:
        return ""
    heads = "".join(f'<th scope="col">{html.escape(cell)}</th>' for cell in header)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div class="scroll"><table class="plain"><thead><tr>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
