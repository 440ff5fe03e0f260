"""Listening examples for the report page: the WAV files that evaluation left beside its results."""

from __future__ import annotations

from typing import Dict, List, Sequence

from evaluation.comparison.measurements import Measurement
from evaluation.comparison.report_page import Sound

RECORDINGS = 2
"""How many recordings the page plays."""


def sounds_of(groups: Dict[str, Sequence[Measurement]]) -> List[Sound]:
    """Originals and what the codecs made of them, each codec at its middle rate.

    Args:
        groups: name of a curve -> its runs. Curves without WAV files (images, published files) give
            no example.
    """
    chosen = {}
    for name, members in groups.items():
        members = sorted(members, key=_rate)
        middle = members[(len(members) - 1) // 2]
        folder = middle.path.with_name(f"{middle.path.stem}-audio")
        if folder.is_dir():
            chosen[name] = (middle, folder)
    if not chosen:
        return []
    _, first = next(iter(chosen.values()))
    sounds = []
    for original in sorted(first.glob("*.original.wav"))[:RECORDINGS]:
        recording = original.name[: -len(".original.wav")]
        sounds.append(Sound(f"{recording}: original", original.read_bytes()))
        for name, (run, folder) in chosen.items():
            decoded = folder / f"{recording}.decoded.wav"
            if decoded.exists():
                text = f"{recording}: {name}, {_rate(run):.2f} {run.results.medium.rate} on average"
                sounds.append(Sound(text, decoded.read_bytes()))
    return sounds


def _rate(run: Measurement) -> float:
    return run.results.points[run.results.medium.rate][0]
