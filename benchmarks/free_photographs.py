"""Training, validation and test images from photographs in Debian packages, under free licences.

    python benchmarks/free_photographs.py DEBS OUTPUT

``free_photographs.csv`` names each photograph with package, version, title, author and licence (as
the package's ``copyright`` file or the file beside the photograph states it) and its split. DEBS is
a folder with these packages, from ``apt-get download PACKAGE=VERSION``. OUTPUT receives PNG files
in the folders ``train``, ``val`` and ``test``; the same input gives the same files.

Photographs are scaled down by 1.35 at least, so that the camera's noise and blur and the artefacts
of JPEG do not dominate. A training photograph is used at several scales; at each it is cut into
tiles of 768x512 pixels (or 512x768). Validation and test use each photograph once.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from debian_files import Member, read_members
from PIL import Image

LIST = Path(__file__).with_suffix(".csv")
LONG, SHORT = 768, 512
SMALLEST_FACTOR = 1.35  # least reduction of a photograph
STEP = 1.5  # between one scale and the next
LEAST_DETAIL = 1.5  # of a tile among several: a clear sky teaches little
TILES = 12  # at most, of one photograph: none dominates


def main() -> None:
    """Writes the three folders and prints their counts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("debs", type=Path, help="folder of the downloaded packages")
    parser.add_argument("output", type=Path, help="folder that receives train, val and test")
    arguments = parser.parse_args()
    with LIST.open(encoding="utf-8", newline="") as file:
        rows = {Member(r["package"], r["version"], r["path"]): r for r in csv.DictReader(file)}
    counts: dict[str, int] = {}
    try:
        for member, content in read_members(arguments.debs, rows):
            split = rows[member]["split"]
            folder = arguments.output / split
            folder.mkdir(parents=True, exist_ok=True)
            for number, tile in enumerate(_tiles(_opened(member, content), split == "train")):
                path = folder / f"{_name(member)}-{number:02}.png"
                tile.save(path, compress_level=3)
                counts[split] = counts.get(split, 0) + 1
    except ValueError as error:
        parser.error(str(error))
    print(", ".join(f"{split}: {counts[split]}" for split in sorted(counts)))


def _opened(member: Member, content: bytes) -> Image.Image:
    if member.path.endswith(".jxl"):
        import pillow_jxl  # noqa: F401 (teaches Pillow the format; in the extra 'codecs')
    return Image.open(io.BytesIO(content)).convert("RGB")


def _name(member: Member) -> str:
    """A name from package and path: photographs of two packages may share theirs."""
    parts = [part for part in Path(member.path).parts if part not in ("contents", "images")]
    stem = Path(parts[-1]).stem
    if stem[0].isdigit():  # Plasma names a photograph by its size, the folder by its title
        stem = parts[-2]
    folder = parts[-2] if "!" in member.path else ""
    return "-".join(filter(None, [member.package.split("-")[0], folder, stem]))


def _tiles(photograph: Image.Image, training: bool) -> Iterator[Image.Image]:
    """Tiles of the smallest scale first; a photograph too small for a tile is one smaller image."""
    width, height = photograph.size
    across = (LONG, SHORT) if width >= height else (SHORT, LONG)
    whole = min(width / across[0], height / across[1])  # the factor at which one tile fits
    factors = [max(whole, SMALLEST_FACTOR)]
    while training and factors[-1] / STEP >= SMALLEST_FACTOR:
        factors.append(factors[-1] / STEP)
    tiles = 0
    for factor in factors:
        size = (round(width / factor), round(height / factor))
        scaled = photograph.resize(size, Image.Resampling.LANCZOS, reducing_gap=3)
        boxes = list(_boxes(size, across, training))
        kept = min(len(boxes), TILES - tiles)
        for index in range(kept):  # spread over the photograph where not all are kept
            tile = scaled.crop(boxes[index * len(boxes) // kept])
            if len(factors) == 1 or _detail(tile) >= LEAST_DETAIL:
                yield tile
                tiles += 1


def _detail(tile: Image.Image) -> float:
    """Mean absolute difference of neighbouring pixels, in levels of 255."""
    luma = np.asarray(tile.convert("L"), np.float32)
    return float(np.abs(np.diff(luma, axis=0)).mean() + np.abs(np.diff(luma, axis=1)).mean())


def _boxes(size: tuple[int, int], tile: tuple[int, int], training: bool) -> Iterator[tuple]:
    """Boxes that cover ``size``, in rows, with little overlap; one in the middle for a test."""
    sides = [min(whole, part) for whole, part in zip(size, tile)]
    counts = [max(1, round(w / s)) if training else 1 for w, s in zip(size, sides)]

    def start(axis: int, index: int) -> int:
        slack = size[axis] - sides[axis]
        return slack // 2 if counts[axis] == 1 else math.floor(slack * index / (counts[axis] - 1))

    for row in range(counts[1]):
        for column in range(counts[0]):
            left, top = start(0, column), start(1, row)
            yield left, top, left + sides[0], top + sides[1]


if __name__ == "__main__":
    main()
