"""Codes an image or audio file with a trained run.

python scripts/compress.py --run runs/NAME in.png out.rtc
python scripts/compress.py --run runs/NAME --refine sga --refine-steps 500 in.png out.rtc
python scripts/compress.py --run runs/NAME in.wav out.rtc
"""

from __future__ import annotations

import argparse
from typing import Callable, Optional, Tuple

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
    from codec import write_atomically

    node = refinement_node(refine, refine_steps)
    saved = load_run(run, stages=stages)
    signal, size = _read(file, saved.medium)
    given = {}
    if node is not None:
        given["latents"] = Refining(saved, node).refine(*signal, file).latents
    data = saved.codec.encode(*signal, fixed_length=fixed_length, **given)
    write_atomically(output, data)
    print(f"{output}: {size(8 * len(data))}")


def _read(file: str, medium: str) -> Tuple[tuple, Callable[[int], str]]:
    """What ``encode`` takes, and a function that says sizes, given the coded bits."""
    from data import read_audio, read_image

    if medium == "image":
        pixels = read_image(file)
        height, width = pixels.shape[:2]
        return (
            (pixels,),
            lambda bits: (
                f"{width} x {height} pixels, {bits // 8} bytes, {bits / (height * width):.4f} bpp"
            ),
        )
    samples, rate = read_audio(file)
    seconds = len(samples) / rate
    return (
        (samples, rate),
        lambda bits: (
            f"{len(samples)} samples, {samples.shape[1]} channels, {rate} Hz, {bits // 8} bytes, "
            f"{bits / 1000 / seconds:.3f} kbps"
        ),
    )


if __name__ == "__main__":
    main()
