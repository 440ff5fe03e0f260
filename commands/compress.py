"""Codes an image or audio file: ``rtc compress`` and ``scripts/compress.py``."""

from __future__ import annotations

import argparse
import math
import sys
from typing import Any, Optional, Tuple

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
    rate = parser.add_mutually_exclusive_group()
    rate.add_argument(
        "--quality",
        type=float,
        metavar="Q",
        help="0 (small) to 100; for variable-rate models, such as the pretrained ones",
    )
    rate.add_argument(
        "--lmbda", type=float, metavar="L", help="the quality that corresponds to this lmbda"
    )
    rate.add_argument(
        "--target-bytes", type=int, metavar="N", help="code the largest file of at most N bytes"
    )
    rate.add_argument(
        "--target-bpp", type=float, metavar="B", help="the same in bits per pixel (images)"
    )
    rate.add_argument(
        "--target-kbps", type=float, metavar="K", help="the same in kbit per second (audio)"
    )
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
    parser.add_argument("--refine-steps", type=int, metavar="N", help="most steps of --refine")


def run(arguments: argparse.Namespace) -> None:
    """Codes ``arguments.file`` into ``arguments.output`` and prints the size.

    Raises:
        ValueError: an argument is wrong, or the run cannot code the file.
    """
    from assembly.pretrained import default_run
    from commands.file_names import check_file_names

    check_file_names(arguments.file, arguments.output)
    if not arguments.output.lower().endswith(".rtc"):
        raise ValueError(f"output={arguments.output!r} must end in .rtc.")
    named = default_run(arguments.file) if arguments.run is None else arguments.run

    from assembly.refining import Refining, refinement_node
    from assembly.saved_run import load_run
    from assembly.trust import targets_named
    from codec.target_size import encode_within
    from evaluation.media import MEDIA
    from signals.files import write_atomically

    node = refinement_node(arguments.refine, arguments.refine_steps)
    trusted = targets_named(arguments.config_dir)
    saved = at_quality(load_run(named, stages=arguments.stages, trusted=trusted), arguments)
    medium = MEDIA[saved.medium]
    signal, options = medium.read(arguments.file), {"fixed_length": arguments.fixed_length}
    size = medium.size(signal)
    target = target_of(arguments, saved, medium, size)
    if target is not None and node is not None:
        raise ValueError("--refine needs a quality: it refines for the rate of one.")
    warning = medium.warning(arguments.file, signal)
    if warning:
        print(warning, file=sys.stderr)
    if node is not None:
        refined = Refining(saved, node).refine(*signal, arguments.file)
        options["latents"] = refined.latents
    if target is None:
        data = saved.codec.encode(*signal, **options)
    else:
        most, asked = target
        data, _ = encode_within(saved.codec, signal, most, asked=asked, **options)
    write_atomically(arguments.output, data)
    rate = f"{medium.rate_of(8 * len(data), size):.{medium.rate_digits + 1}f} {medium.rate}"
    print(f"{arguments.output}: {medium.size_text(size)}, {len(data)} bytes, {rate}")


def at_quality(saved: Any, arguments: argparse.Namespace) -> Any:
    """The run, set to the quality that ``--quality`` or ``--lmbda`` asks for.

    Raises:
        ValueError: it is out of range, or the run has one rate.
    """
    from codec.container import HIGHEST_QUALITY

    if arguments.quality is not None:
        return saved.at_quality(arguments.quality)
    if arguments.lmbda is not None:
        rate = saved.codec.model.rate
        if rate is None:
            raise ValueError(f"--lmbda {arguments.lmbda:g}: {saved.codec.name} has one rate.")
        low, high = rate.lmbda_of(0), rate.lmbda_of(HIGHEST_QUALITY)
        try:
            quality = rate.quality_of(arguments.lmbda)
        except ValueError:
            raise ValueError(
                f"--lmbda {arguments.lmbda:g} must be {low:g} to {high:g} with this model."
            ) from None
        return saved.at_quality(quality / 100)
    return saved


def target_of(
    arguments: argparse.Namespace, saved: Any, medium: Any, size: Any
) -> Optional[Tuple[int, str]]:
    """What the file may have at most, bytes, and the argument that says so; None: there is none.

    Raises:
        ValueError: the target is not above 0, or of the other medium, or the run has one rate.
    """
    targets = {"bytes": arguments.target_bytes, medium.rate: None}
    for unit in ("bpp", "kbps"):
        target = getattr(arguments, f"target_{unit}")
        if target is not None and unit != medium.rate:
            raise ValueError(
                f"--target-{unit} {target:g}: the rate of {medium.content} is in {medium.rate}."
            )
        targets[unit] = target
    unit, target = next(((u, t) for u, t in targets.items() if t is not None), (None, None))
    if target is None:
        return None
    asked = f"--target-{unit} {target if unit == 'bytes' else format(target, '.15g')}"
    if not 0 < target < math.inf:
        raise ValueError(f"{asked} must be above 0.")
    if saved.codec.model.rate is None:
        raise ValueError(f"{asked}: {saved.codec.name} has one rate.")
    most = target if unit == "bytes" else target / medium.rate_of(8, size)
    return int(min(most, sys.maxsize)), asked  # The quotient may be infinite.
