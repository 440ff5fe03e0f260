"""Compares codecs by BD-rate and by loss, with intervals and tests: tables, figures, report page.

python scripts/compare.py runs/compare-* --anchor uniform_noise
python scripts/compare.py runs/compare-* --anchor uniform_noise --contrast mixed straight_through
python scripts/compare.py jpeg.json webp.json 'runs/compare-*' --anchor JPEG

Takes run directories that evaluate.py measured, results files (ours or published) and patterns of
both. Runs that differ only in lmbda and seed form one curve, named after their quantizer. Runs of
fewer than four lmbda have no BD-rate and are ranked by their loss, without a report page.
"""

from __future__ import annotations

import argparse
import functools
import itertools
import pathlib

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.choices import CONFIGS
from assembly.saved_run import codec_of
from assembly.trust import targets_named
from assembly.user_errors import one_line_errors
from commands.file_names import folder
from data.image_folder import ImageFolder
from evaluation.comparison.compare import compare
from evaluation.metrics import METRICS
from training.run_directory import NOT_PART_OF_A_RUN
from training.settings import register_resolvers

CROPPED_IMAGES = 3
"""How many of ``--images`` the page and the figure show."""


def main() -> None:
    """Parses the command, compares and prints."""
    parser = argparse.ArgumentParser(description="Compare codecs by BD-rate with intervals.")
    parser.add_argument("results", nargs="+", help="run directories, results files, patterns")
    parser.add_argument("--anchor", required=True, metavar="NAME", help="curve to compare with")
    parser.add_argument("--only", metavar="NAME,NAME", help="compare only these with the anchor")
    parser.add_argument(
        "--dataset", default="kodak", metavar="NAME", help="dataset of the runs' results"
    )
    parser.add_argument(
        "--metric", choices=list(METRICS), help="default: psnr-rgb for images, si-sdr for audio"
    )
    parser.add_argument(
        "--contrast", dest="contrasts", nargs=2, action="append", metavar="NAME",
        help="test the first curve against the second; repeatable, and Holm's correction counts "
        "them; default: every curve against the anchor",
    )  # fmt: skip
    parser.add_argument(
        "--half-width", type=float, metavar="PERCENT",
        help="half-width of the interval to plan more seeds for; default: 1, for ±1 %%",
    )  # fmt: skip
    parser.add_argument(
        "--resamples", type=int, default=2000, metavar="N", help="bootstrap resamples"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="bootstrap seed")
    parser.add_argument(
        "--output", type=folder, default=pathlib.Path("build/comparison"), metavar="FOLDER"
    )
    parser.add_argument("--images", metavar="FOLDER", help="originals, to show crops of 3")
    parser.add_argument(
        "--bpp", type=float, metavar="RATE", help="rate of the crops; default: one that all have"
    )
    parser.add_argument(
        "--config-dir", metavar="FOLDER", help="configuration folder of your own that the run used"
    )
    arguments = vars(parser.parse_args())
    config_dir = arguments.pop("config_dir")
    register_resolvers()  # Curves are named after configs/quantizer.
    with one_line_errors():
        if arguments["images"] is not None:
            images = ImageFolder(root=arguments["images"]).images("all")
            arguments["images"] = list(itertools.islice(images, CROPPED_IMAGES))
        trusted = targets_named(config_dir)
        text = compare(
            **{key: value for key, value in arguments.items() if value is not None},
            quantizers=CONFIGS / "quantizer",
            ignored=NOT_PART_OF_A_RUN,
            load_codec=functools.partial(codec_of, trusted=trusted),
        )
        print(text)


if __name__ == "__main__":
    main()
