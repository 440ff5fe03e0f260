"""Measures classical codecs on a folder, as results files that scripts/compare.py takes.

python scripts/classical.py /kodak --codecs jpeg,webp,jpeg2000,avif --output results/kodak/classical
python scripts/compare.py results/kodak/classical/*.json 'runs/compare-*' --anchor JPEG

Each codec is measured at its ladder of settings, on files that were written and decoded again.
JPEG XL and HEIC need the extra ``codecs``; HEIC takes by far the longest. A codec is skipped if its
results are already there, of the same files, settings, metrics and library versions.
"""

from __future__ import annotations

import argparse
import functools
import os
import pathlib
import time
from typing import Any, Dict

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

from assembly.choices import check_names
from assembly.user_errors import one_line_errors
from commands.file_names import folder
from data.audio_folder import AudioFolder
from data.image_folder import ImageFolder
from evaluation.classical import classical_codecs
from evaluation.classical.codec import CannotCode
from evaluation.classical.ladders import measure_rows, read_curve, write_curve
from evaluation.results import Dataset


def main() -> None:
    """Parses the command and measures codec after codec."""
    parser = argparse.ArgumentParser(description="Curves of classical codecs on a folder.")
    parser.add_argument("folder", help="images, or recordings for audio codecs")
    parser.add_argument(
        "--codecs", default="jpeg,webp,jpeg2000,avif", metavar="NAME,NAME",
        help=f"from {', '.join(classical_codecs())}; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--output", type=folder, default=pathlib.Path("build/classical"), metavar="FOLDER",
        help="for <codec>.json and .csv; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count(), metavar="N",
        help="number of files measured in parallel",
    )  # fmt: skip
    arguments = parser.parse_args()
    with one_line_errors():
        measure(arguments)


def measure(arguments: argparse.Namespace) -> None:
    """Measures all codecs of the command; one that cannot code a file costs its own curve alone.

    Raises:
        ValueError: at the end, for each codec that cannot code a file.
        ValueError: a codec is unknown, of another medium, or its package is not installed.
        FileNotFoundError: there is no such folder.
    """
    known = classical_codecs()
    names = [name.strip() for name in arguments.codecs.split(",")]
    check_names("--codecs ", names, known)
    for name in names:
        known[name].require()
    media = {known[name].medium.name for name in names}
    if len(media) > 1:
        raise ValueError(f"--codecs {arguments.codecs} must be of one medium.")
    if arguments.processes < 1:
        raise ValueError(f"--processes {arguments.processes} must be at least 1.")
    medium = known[names[0]].medium
    if medium.name == "image":
        source = ImageFolder(root=arguments.folder)
    else:
        source = AudioFolder(root=arguments.folder, sample_rate=48000, segment=1)
    files = list(medium.whole_files(source, "all"))
    for file in files:
        warning = medium.warning(file.name, medium.signal(file))
        if warning:
            print(warning, flush=True)
    dataset = Dataset.from_digests(source.name, [medium.digest(file) for file in files])
    failed = []
    for number, name in enumerate(names, start=1):
        codec, path = known[name], arguments.output / f"{name}.json"
        if path.with_suffix(".csv").exists() and read_curve(codec, dataset, path):
            print(f"[{number}/{len(names)}] {path} is already there")
            continue
        print(f"[{number}/{len(names)}] {codec.description}", flush=True)
        progress = functools.partial(_progress, len(files), time.monotonic())
        try:
            rows = measure_rows(codec, files, processes=arguments.processes, progress=progress)
        except CannotCode as error:
            failed.append(str(error))
            print(f"no curve: {error}", flush=True)
            continue
        results = write_curve(codec, rows, path, dataset=source.name)
        columns = {"setting": results.provenance["qualities"], **results.points}
        columns = {key: values for key, values in columns.items() if not key.endswith("_time")}
        print("".join(f"{key:>14}" for key in columns))
        for point in zip(*columns.values()):
            print("".join(f"{value:14.6g}" for value in point))
        print(f"wrote {path}", flush=True)
    if failed:
        raise ValueError("; ".join(failed))


def _progress(total: int, started: float, count: int, row: Dict[str, Any]) -> None:
    left = (time.monotonic() - started) / count * (total - count)
    print(f"  {count} of {total} files, {left:.0f} s left ({row['file']:.40})", flush=True)


if __name__ == "__main__":
    main()
