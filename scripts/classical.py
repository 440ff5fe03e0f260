"""Measures classical image codecs on a folder, as results files that scripts/compare.py takes.

python scripts/classical.py /kodak --codecs jpeg,webp,jpeg2000,avif --output results/kodak/classical
python scripts/compare.py results/kodak/classical/*.json 'runs/compare-*' --anchor JPEG

Each codec at a ladder of settings, on files that were written and decoded again; JPEG XL and HEIC
need the extra ``codecs``. A codec whose file is there already, of the same pixels, settings and
versions, is not measured again. HEIC takes by far the longest.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.user_errors import one_line_errors
from data.image_folder import ImageFolder
from evaluation.classical.matches import CLASSICAL
from evaluation.classical.results_files import kept_curve, measure_curve, write_curve


def main() -> None:
    """Measures codec after codec."""
    parser = argparse.ArgumentParser(description="Curves of classical image codecs on a folder.")
    parser.add_argument("folder", help="images")
    parser.add_argument(
        "--codecs", default="jpeg,webp,jpeg2000,avif", metavar="NAME,NAME",
        help=f"among {', '.join(CLASSICAL)}; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=pathlib.Path, default=pathlib.Path("build/classical"), metavar="FOLDER",
        help="<codec>.json and .csv; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), metavar="N", help="images at once"
    )
    arguments = parser.parse_args()
    with one_line_errors():
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """All codecs of the command.

    Raises:
        ValueError: a codec is unknown, or its package is not installed.
        FileNotFoundError: there is no such folder.
    """
    names = [name.strip() for name in arguments.codecs.split(",")]
    for name in names:
        if name not in CLASSICAL:
            raise ValueError(f"--codecs {name!r} must be among {', '.join(CLASSICAL)}.")
        CLASSICAL[name].require()
    if arguments.processes < 1:
        raise ValueError(f"--processes {arguments.processes} must be at least 1.")
    source = ImageFolder(root=arguments.folder)
    images = list(source.images("all"))
    for number, name in enumerate(names, start=1):
        path = arguments.output / f"{name}.json"
        results = kept_curve(name, images, path)
        if results is not None:
            print(f"[{number}/{len(names)}] {path} is there already")
            continue
        print(f"[{number}/{len(names)}] {CLASSICAL[name].description}", flush=True)
        rows = measure_curve(
            name, images, processes=arguments.processes, progress=_progress(len(images))
        )
        results = write_curve(name, rows, path, dataset=source.name)
        points = results.points
        print(f"{'setting':>9}{'bpp':>9}{'PSNR':>9}{'MS-SSIM':>9}")
        for point in zip(
            results.provenance["qualities"],
            points["bpp"],
            points["psnr-rgb"],
            points["ms-ssim-rgb"],
        ):
            print("{:9}{:9.4f}{:9.3f}{:9.4f}".format(*point))
        print(f"wrote {path}", flush=True)


def _progress(images: int):
    """Says how far it is: in place on a terminal, a line now and then elsewhere."""
    started = time.monotonic()
    terminal = sys.stdout.isatty()
    lines = {max(1, round(images * share / 4)) for share in range(1, 5)}

    def say(count, row):
        if not terminal and count not in lines:
            return
        left = (time.monotonic() - started) / count * (images - count)
        text = f"  {count} of {images} images, {left:.0f} s left ({row.file:.40})"
        print(f"\r{text}\033[K" if terminal else text, end="" if terminal else "\n", flush=True)
        if terminal and count == images:
            print()

    return say


if __name__ == "__main__":
    main()
