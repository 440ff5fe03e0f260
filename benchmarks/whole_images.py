"""Compares the bits of whole images with those of the tiles that they consist of.

python benchmarks/whole_images.py runs/hyperprior runs/factorized --images /kodak --tiles 128 256

A model that has learned its training patches but not the interior of an image needs far more bits
for whole images. Rates are estimates on the symbols, means over the images.
"""

from __future__ import annotations

import argparse
import pathlib
import statistics

from assembly.user_errors import one_line_errors
from processor.process import set_process


def main() -> None:
    """Prints a row per run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", help="run directories, or names under runs/")
    parser.add_argument("--images", required=True, nargs="+", help="files, or folders of images")
    parser.add_argument("--tiles", nargs="+", type=int, default=[128], help="sides in pixels")
    arguments = parser.parse_args()
    with one_line_errors():
        set_process()
        from assembly.saved_run import load_run
        from evaluation.patch_check import check_patches
        from signals.image_files import read_image

        images = [read_image(path) for path in paths_of(arguments.images)]
        if not images:
            raise ValueError(f"{', '.join(arguments.images)}: there is no image.")
        heads = "".join(f" | whole | tiles of {tile}" for tile in arguments.tiles)
        print(f"| run{heads} |\n|---{'|---' * 2 * len(arguments.tiles)}|")
        for run in arguments.runs:
            model = load_run(run).codec.model
            cells = []
            for tile in arguments.tiles:
                checks = [check_patches(model, image, tile) for image in images]
                if None in checks:
                    raise ValueError(f"tiles={tile} must fit four times into every image.")
                whole = statistics.fmean(check.whole for check in checks)
                tiles = statistics.fmean(check.patches for check in checks)
                cells.append(f"{whole:.3f} | {tiles:.3f} ({whole / tiles - 1:+.1%})")
            print(f"| {run} | {' | '.join(cells)} |", flush=True)


def paths_of(names):
    """Files as they are named; of a folder all images that it holds."""
    from data.image_folder import SUFFIXES

    for path in map(pathlib.Path, names):
        inside = sorted(path.iterdir()) if path.is_dir() else []
        images = [each for each in inside if each.suffix.lower() in SUFFIXES]
        yield from images if path.is_dir() else [path]


if __name__ == "__main__":
    main()
