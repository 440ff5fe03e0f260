"""Codes an image or audio file with a trained run.

python scripts/compress.py --run runs/NAME in.png out.rtc
python scripts/compress.py --run runs/NAME --refine sga --refine-steps 500 in.png out.rtc
python scripts/compress.py --run runs/NAME in.wav out.rtc
"""

from __future__ import annotations

import argparse

from assembly.user_errors import one_line_errors
from processor.process import set_process


def main() -> None:
    """Reads, codes and writes the file; prints the size."""
    parser = argparse.ArgumentParser(description="Code an image or audio file as an .rtc file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
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
    parser.add_argument("--refine-steps", type=int, metavar="N", help="maximum, for --refine")
    with one_line_errors():
        compress(parser.parse_args())


def compress(arguments: argparse.Namespace) -> None:
    """Codes ``arguments.file`` into ``arguments.output``.

    Raises:
        ValueError: an argument is wrong, or the run cannot code the file.
    """
    from assembly.refining import Refining, refinement_node
    from assembly.saved_run import load_run
    from signals.audio_files import read_audio
    from signals.files import write_atomically
    from signals.image_files import read_image

    node = refinement_node(arguments.refine, arguments.refine_steps)
    saved = load_run(arguments.run, stages=arguments.stages)
    options = {"fixed_length": arguments.fixed_length}
    if saved.medium == "image":
        pixels = read_image(arguments.file)
        if node is not None:
            options["latents"] = Refining(saved, node).refine(pixels, arguments.file).latents
        data = saved.codec.encode(pixels, **options)
        height, width = pixels.shape[:2]
        size, rate = f"{width} x {height} pixels", f"{8 * len(data) / (height * width):.4f} bpp"
    else:
        if node is not None:
            Refining(saved, node)  # Says why not.
        samples, frequency = read_audio(arguments.file)
        data = saved.codec.encode(samples, frequency, **options)
        size = f"{len(samples)} samples, {samples.shape[1]} channels, {frequency} Hz"
        rate = f"{8 * len(data) * frequency / len(samples) / 1000:.3f} kbps"
    write_atomically(arguments.output, data)
    print(f"{arguments.output}: {size}, {len(data)} bytes, {rate}")


if __name__ == "__main__":
    set_process()
    main()
