"""Codes an image or audio file with a trained run.

python scripts/compress.py --run runs/NAME in.png out.rtc
python scripts/compress.py --run runs/NAME --refine sga --refine-steps 500 in.png out.rtc
python scripts/compress.py --run runs/NAME in.wav out.rtc
"""

from __future__ import annotations

import argparse
from typing import Optional

from assembly.user_errors import one_line_errors


def main() -> None:
    """Reads, codes, writes; prints the size."""
    parser = argparse.ArgumentParser(description="Code an image or audio file as an .rtc file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument(
        "file", help="PNG, JPEG, WebP; WAV, FLAC, OGG, MP3: what the run was trained on"
    )
    parser.add_argument("output", help=".rtc file to write")
    parser.add_argument(
        "--stages", type=int, help="of a residual quantizer, how many refinement stages (all)"
    )
    parser.add_argument(
        "--fixed-length", action="store_true", help="of a codebook: equal bits for every symbol"
    )
    parser.add_argument(
        "--refine", metavar="NAME", help="improve the latents first: sga or rdoq; takes its time"
    )
    parser.add_argument("--refine-steps", type=int, metavar="N", help="of --refine, at most")
    arguments = parser.parse_args()
    with one_line_errors():
        compress(**vars(arguments))


def compress(
    run: str,
    file: str,
    output: str,
    stages: Optional[int],
    fixed_length: bool,
    refine: Optional[str],
    refine_steps: Optional[int],
) -> None:
    """Codes ``file``, of the medium that the run was trained on, into the file ``output``."""
    from assembly.refining import Refining, refinement_node
    from assembly.saved_run import load_run
    from evaluation.media import MEDIA
    from signals.files import write_atomically

    node = refinement_node(refine, refine_steps)
    saved = load_run(run, stages=stages)
    medium = MEDIA[saved.medium]
    signal = medium.read(file)
    given = {}
    if node is not None:
        given["latents"] = Refining(saved, node).refine(*signal, file).latents
    data = saved.codec.encode(*signal, fixed_length=fixed_length, **given)
    write_atomically(output, data)
    size = medium.size(signal)
    rate = f"{medium.rate_of(8 * len(data), size):.{medium.rate_digits + 1}f} {medium.rate}"
    print(f"{output}: {medium.size_text(size)}, {len(data)} bytes, {rate}")


if __name__ == "__main__":
    main()
