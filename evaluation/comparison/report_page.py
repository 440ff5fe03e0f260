"""A comparison as one self-contained HTML page: it opens from disk and loads nothing.

Table, curves and sliders are drawn by ``page/page.js`` from one block of JSON; the page's text,
notes and configurations are there without it.
"""

from __future__ import annotations

import base64
import html
import io
import json
import pathlib
import re
import string
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np
from PIL import Image as PillowImage
from scipy.interpolate import PchipInterpolator

from evaluation.comparison.curves import Curve
from evaluation.comparison.intervals import LEVEL, seed_band
from evaluation.comparison.ranking import Row
from evaluation.figures.crops import Crop
from evaluation.figures.style import COLOURS
from signals.files import write_atomically

_PAGE = pathlib.Path(__file__).resolve().parent / "page"
_DASHES = ("", "8 3", "2 3")
_LINE_POSITIONS = 80


class Sound(NamedTuple):
    """A listening example: a whole WAV file and the line above its player."""

    text: str
    wav: bytes


def write_page(
    path: pathlib.Path,
    anchor: Curve,
    rows: Sequence[Row],
    said: Sequence[str],
    *,
    dataset: str,
    metrics: Mapping[str, Sequence[Curve]],
    made: Mapping[str, Any],
    crops: Sequence[Crop] = (),
    sounds: Sequence[Sound] = (),
) -> None:
    """Writes the page.

    Args:
        path: of the HTML file.
        anchor: of the ranking.
        rows: the ranking.
        said: the notes below it.
        dataset: its name.
        metrics: label of a quality -> the same curves in it, the ranking's quality first.
        made: heading -> what JSON holds of how it was made: configurations, versions.
        crops: pictures with a slider; none leaves the section out.
        sounds: listening examples; none leaves the section out.
    """
    ranked = [row.curve.name for row in rows if row.curve.name != anchor.name]
    drawn = [curve.name for curves in metrics.values() for curve in curves]
    # The order of colours: anchor, ranking, and what is drawn but could not be ranked.
    names = list(dict.fromkeys([anchor.name, *ranked, *drawn]))
    columns, cells = _table(anchor, rows)
    data = {
        "columns": columns,
        "rows": cells,
        "sortedBy": 1,
        "rateLabel": f"rate ({anchor.metric.medium.rate_label}), mean over {dataset}",
        "metrics": {
            label: {
                "label": label,
                "axis": f"{label} ({curves[0].metric.unit})",
                "curves": [_drawn(curve, names.index(curve.name)) for curve in curves],
            }
            for label, curves in metrics.items()
        },
        "crops": [_crop(crop) for crop in crops],
        "audio": [
            {"text": sound.text, "source": _data_uri("audio/wav", sound.wav)} for sound in sounds
        ],
    }
    page = string.Template((_PAGE / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(f"Codecs beside {anchor.name} on {dataset}"),
        subtitle=html.escape(
            f"BD-rate at equal {anchor.metric.label}: below 0 is fewer bits than {anchor.name}."
        ),
        notes="".join(f"<li>{html.escape(note)}</li>" for note in said),
        provenance="".join(_details(heading, value) for heading, value in made.items()),
        css=(_PAGE / "page.css").read_text(encoding="utf-8"),
        js=(_PAGE / "page.js").read_text(encoding="utf-8"),
        # "</script>" in a name would end the block.
        data=json.dumps(data, allow_nan=False).replace("<", "\\u003c"),
    )
    write_atomically(path, page.encode())


def _table(anchor: Curve, rows: Sequence[Row]):
    label = anchor.metric.label
    columns = [
        "codec",
        "BD-rate (%)",
        f"{LEVEL:.0%} interval (%)",
        "p",
        f"BD-{label} ({anchor.metric.unit})",
        "overlap",
        "points",
        "seeds",
    ]
    return columns, [_cells(row, row.curve.name == anchor.name) for row in rows]


def _cells(row: Row, is_anchor: bool) -> List[Dict[str, Any]]:
    interval, quality = row.interval, row.bd_quality
    counts = {len(seeds) for seeds in row.curve.seeds}
    return [
        _cell(row.curve.name, row.curve.name),
        _cell(row.bd_rate, "anchor" if is_anchor else f"{row.bd_rate:+.2f}"),
        _cell(
            interval and interval.high - interval.low,
            f"{interval.low:+.2f} to {interval.high:+.2f}" if interval else "-",
        ),
        _cell(
            interval and interval.p,
            "-" if not interval else f"{interval.p:.3f}" if interval.p >= 0.001 else "< 0.001",
        ),
        _cell(quality, "-" if quality is None else f"{quality:+.2f}"),
        _cell(row.common.share, f"{row.common.share:.0%}"),
        _cell(len(row.curve.rates), str(len(row.curve.rates))),
        _cell(max(counts) if counts else None, "-" if not counts else f"{max(counts)}"),
    ]


def _cell(value, text: str) -> Dict[str, Any]:
    # Minus signs are as wide as digits; the hyphens of names stay.
    text = re.sub(r"(^|(?<= ))-(?=\d)", "\N{MINUS SIGN}", text) if value is not None else text
    return {"value": value, "text": text}


def _drawn(curve: Curve, number: int) -> Dict[str, Any]:
    log_rates = np.log10(curve.rates)
    at = np.union1d(np.linspace(log_rates[0], log_rates[-1], _LINE_POSITIONS), log_rates)
    line = PchipInterpolator(log_rates, curve.quality)(at)
    anchor = number == 0
    return {
        "name": curve.name,
        "colour": None if anchor else COLOURS[(number - 1) % len(COLOURS)],
        "dash": "10 4" if anchor else _DASHES[(number - 1) // len(COLOURS) % len(_DASHES)],
        "line": np.stack([10**at, line], axis=1).round(5).tolist(),
        "band": _band(curve, at),
        "points": [
            {"rate": float(rate), "quality": float(quality), "text": _told(curve, k)}
            for k, (rate, quality) in enumerate(zip(curve.rates, curve.quality))
        ],
    }


def _band(curve: Curve, at: np.ndarray) -> Optional[Dict[str, Any]]:
    band = seed_band(curve, at)
    if band is None:
        return None
    known = np.isfinite(band).all(axis=0)
    rates = 10 ** at[known]
    low, high = (np.stack([rates, side[known]], axis=1).round(5).tolist() for side in band)
    return {"low": low, "high": high}


def _told(curve: Curve, k: int) -> str:
    """The words beside a point: codec, setting, rate, quality, and how far seeds lie apart."""
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
        "original": _picture(crop.original),
        "decoded": _picture(crop.decoded),
        "text": f"{crop.name}, {crop.codec}: {crop.bpp:.3f} bpp, {crop.psnr:.2f} dB",
    }


def _picture(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG", optimize=True)
    return _data_uri("image/png", file.getvalue())


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _details(heading: str, value: Any) -> str:
    text = html.escape(json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return f"<details><summary>{html.escape(heading)}</summary><pre>{text}</pre></details>\n"
