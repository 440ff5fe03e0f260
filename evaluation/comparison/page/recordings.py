"""Listening examples: the WAV files that evaluation left beside its results."""

from __future__ import annotations

from typing import List, Mapping, NamedTuple, Sequence

from evaluation.comparison.measurements import Measurement

RECORDINGS = 2
"""How many recordings the page plays."""


class Listening(NamedTuple):
    """A listening example: a whole WAV file and the line above its player."""

    text: str
    wav: bytes


def recordings_of(groups: Mapping[str, Sequence[Measurement]]) -> List[Listening]:
    """Originals, and what each codec made of them at its middle rate.

    Args:
        groups: name of a curve -> its runs. Curves without WAV files (images, published files) give
            no example.
    """
    chosen = {}
    for name, members in groups.items():
        members = sorted(members, key=lambda run: run.rates[0])
        middle = members[(len(members) - 1) // 2]
        folder = middle.path.with_name(f"{middle.path.stem}-audio")
        if folder.is_dir():
            chosen[name] = (middle, folder)
    if not chosen:
        return []
    _, first = next(iter(chosen.values()))
    examples = []
    for original in sorted(first.glob("*.original.wav"))[:RECORDINGS]:
        recording = original.name[: -len(".original.wav")]
        examples.append(Listening(f"{recording}: original", original.read_bytes()))
        for name, (run, folder) in chosen.items():
            decoded = folder / f"{recording}.decoded.wav"
            if decoded.exists():
                unit = run.results.medium.rate
                text = f"{recording}: {name}, {run.rates[0]:.2f} {unit} on average"
                examples.append(Listening(text, decoded.read_bytes()))
    return examples
