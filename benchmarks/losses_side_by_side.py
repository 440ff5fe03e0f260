"""Draws what several comparisons by loss found, side by side.

python benchmarks/losses_side_by_side.py Kodak=build/kodak speech=build/speech --output losses.png

Each folder is the output of a comparison by loss (scripts/compare.py --output FOLDER).
"""

from __future__ import annotations

import argparse
import json
import pathlib
from typing import List, Tuple

from evaluation.figures.losses import Difference, write_losses


def main() -> None:
    """Writes the figure as PNG and SVG."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("panels", nargs="+", type=_panel, metavar="TITLE=FOLDER")
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE")
    arguments = parser.parse_args()
    titles = [title for title, _ in arguments.panels]
    if len(set(titles)) < len(titles):
        parser.error(f"panels: the titles {', '.join(titles)} must differ.")
    try:
        found = {title: differences(folder) for title, folder in arguments.panels}
        anchors = {anchor for anchor, _ in found.values()}
        if len(anchors) > 1:
            raise ValueError(f"the comparisons have different anchors: {', '.join(anchors)}.")
        panels = {title: curves for title, (_, curves) in found.items()}
        paths = write_losses(arguments.output, panels, anchor=anchors.pop())
    except (OSError, ValueError) as error:
        parser.error(str(error))
    print("wrote", *paths)


def differences(folder: pathlib.Path) -> Tuple[str, List[Difference]]:
    """The anchor's name; the curves that were tested against it, from the lowest loss on."""
    path = folder / "comparison.json"
    document = json.loads(path.read_text())
    curves = document["curves"]
    if not curves or "loss_percent" not in curves[0]:
        raise ValueError(f"{path} is not of a comparison by loss.")
    return document["anchor"], [
        Difference(each["name"], each["loss_percent"], *each["interval_percent"])
        for each in curves
        if each["loss_percent"] is not None
    ]


def _panel(text: str) -> Tuple[str, pathlib.Path]:
    title, separator, folder = text.partition("=")
    if not (title and separator and folder):
        raise argparse.ArgumentTypeError(f"{text!r} must be TITLE=FOLDER.")
    return title, pathlib.Path(folder)


if __name__ == "__main__":
    main()
