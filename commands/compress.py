"""Codes an image or audio file: ``rtc compress`` and ``scripts/compress.py``."""

from __future__ import annotations

import argparse
import sys

ABOUT = "Code an image or audio file as an .rtc file."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument(
        "--run",
        help="run directory, its name under runs/, or pretrained:NAME "
        "(default: the pretrained model for images or speech)",
    )
    parser.add_argument(
        "file", help="PNG, JPEG, WebP; or WAV, FLAC, OGG, MP3: the medium that the run codes"
    )
    parser.add_argument("output", help=".rtc file to write")
    parser.add_argument(
        "--stages", type=int, metavar="N", help="stages of a residual quantizer (default: all)"
    )
    parser.add_argument(
        "--fixed-length", action="store_true", help="codebooks only: equal bits for every symbol"
    )
    parser.add_argument(
        "--refine", metavar="NAME", help="improve the latents first, by sga or rdoq; slow"
    )
    parser.add_argument(
        "--config-dir", metavar="FOLDER", help="configuration folder of your own that the run used"
    )
    parser.add_argument("--refine-steps", type=int, metavar="N", help="maximum, for --refine")


def run(arguments: argparse.Namespace) -> None:
    """Codes ``arguments.file`` into ``arguments.output`` and prints the size.

    Raises:
        ValueError: an argument is wrong, or the run cannot code the file.
    """
    from assembly.pretrained import default_run

    named = arguments.run or default_run(arguments.file)

    from assembly.refining import Refining, refinement_node
    from assembly.saved_run import load_run
    from assembly.trust import targets_in
    from evaluation.media import MEDIA
    from signals.files import write_atomically

    node = refinement_node(arguments.refine, arguments.refine_steps)
    trusted = targets_in(filter(None, [arguments.config_dir]))
    saved = load_run(named, stages=arguments.stages, trusted=trusted)
    medium = MEDIA[saved.medium]
    signal, options = medium.read(arguments.file), {"fixed_length": arguments.fixed_length}
    warning = medium.warning(arguments.file, signal)
    if warning:
        print(warning, file=sys.stderr)
    if node is not None:
        refined = Refining(saved, node).refine(*signal, arguments.file)
        options["latents"] = refined.latents
    data = saved.codec.encode(*signal, **options)
    write_atomically(arguments.output, data)
    size = medium.size(signal)
    rate = f"{medium.rate_of(8 * len(data), size):.{medium.rate_digits + 1}f} {medium.rate}"
    print(f"{arguments.output}: {medium.size_text(size)}, {len(data)} bytes, {rate}")
