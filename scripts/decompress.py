"""Decodes an .rtc file with the run that coded it.

python scripts/decompress.py --run runs/NAME in.rtc out.png
python scripts/decompress.py --run runs/NAME in.rtc out.wav
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Optional, Sequence

from assembly.user_errors import one_line_errors
from processor.process import set_process
from signals.audio_files import LOSSLESS_AUDIO
from signals.files import write_atomically
from signals.image_files import LOSSLESS_IMAGES

LOSSLESS = (*LOSSLESS_IMAGES, *LOSSLESS_AUDIO)


def main() -> None:
    """Reads, decodes and writes the file."""
    parser = argparse.ArgumentParser(description="Decode an .rtc file to an image or audio file.")
    parser.add_argument("--run", required=True, help="run directory, or its name under runs/")
    parser.add_argument("coded", help=".rtc file")
    parser.add_argument("output", help=f"file to write ({', '.join(LOSSLESS)})")
    parser.add_argument(
        "--max-size",
        type=int,
        metavar="N",
        help="most pixels, or samples of all channels, that the file may decode to "
        "(default: 2^27 pixels, 2^28 samples)",
    )
    parser.add_argument(
        "--config-dir", metavar="FOLDER", help="configuration folder of your own that the run used"
    )
    with one_line_errors():
        decompress(**vars(parser.parse_args()))


def decompress(
    run: str, coded: str, output: str, max_size: Optional[int], config_dir: Optional[str]
) -> None:
    """Decodes the file ``coded`` into the file ``output``.

    Raises:
        ValueError: an argument is wrong, or the run cannot decode the file.
    """
    if max_size is not None and max_size < 1:
        raise ValueError(f"--max-size {max_size} must be at least 1.")
    suffix = pathlib.Path(output).suffix.lower()
    _check(output, suffix, LOSSLESS, "a lossy format would change what was decoded")

    from assembly.saved_run import load_run
    from assembly.trust import targets_in
    from evaluation.media import MEDIA

    data = pathlib.Path(coded).read_bytes()
    saved = load_run(run, trusted=targets_in(filter(None, [config_dir])))
    medium = MEDIA[saved.medium]
    _check(output, suffix, medium.lossless, f"this run codes {medium.content}")
    decoded = saved.codec.decode(data, **({} if max_size is None else {"max_size": max_size}))
    write_atomically(output, medium.write(decoded, suffix))
    print(f"{output}: {medium.size_text(medium.size(medium.signal(decoded)))}")


def _check(output: str, suffix: str, allowed: Sequence[str], reason: str) -> None:
    if suffix not in allowed:
        raise ValueError(f"output={output!r} must end in one of {', '.join(allowed)}: {reason}.")


if __name__ == "__main__":
    set_process()
    main()
