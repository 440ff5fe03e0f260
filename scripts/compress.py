"""Codes an image file with a trained run.

python scripts/compress.py --run runs/NAME in.png out.rtc
python scripts/compress.py --run runs/NAME --refine sga --refine-steps 500 in.png out.rtc
"""

from __future__ import annotations

import argparse
from typing import Optional

from assembly.user_errors import one_line_errors


def main() -> None:
    """Reads, codes, writes; prints the size."""
    parser = argparse.ArgumentParser(description="Code an image file as an .rtc file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument("image", help="PNG, JPEG or WebP file")
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
    image: str,
    output: str,
    stages: Optional[int],
    fixed_length: bool,
    refine: Optional[str],
    refine_steps: Optional[int],
) -> None:
    """Codes the file ``image`` into the file ``output``."""
    from assembly.refining import Refining, refinement_node
    from assembly.saved_run import load_run
    from codec import write_atomically
    from data import read_image

    node = refinement_node(refine, refine_steps)
    pixels = read_image(image)
    saved = load_run(run, stages=stages)
    given = {}
    if node is not None:
        given["latents"] = Refining(saved, node).refine(pixels, image).latents
    data = saved.codec.encode(pixels, fixed_length=fixed_length, **given)
    write_atomically(output, data)
    height, width = pixels.shape[:2]
    bpp = 8 * len(data) / (height * width)
    print(f"{output}: {width} x {height} pixels, {len(data)} bytes, {bpp:.4f} bpp")


if __name__ == "__main__":
    main()
