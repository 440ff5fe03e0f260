"""Codes an image under different settings of the machine and decodes each file under all others.

python benchmarks/exactness.py runs/hyperprior runs/autoregressive --image photo.png
python benchmarks/exactness.py runs/NAME --image photo.png --settings 1:0 2:1 2:avx2

A setting is THREADS:KERNELS, a process of its own with that many threads and without oneDNN (0),
with it (1), or with it limited to the instructions of another processor (sse41, avx2, avx512_core).
The table counts the latents that decode to other values than the encoder's; the exit status is 1
unless all counts are 0. The file of --output also has the pixels, which synthesis computes in
float32: how many differ from the encoder's, and by how many gray levels at most.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from typing import Any, Dict

import numpy as np

from assembly.user_errors import one_line_errors
from processor.process import set_process
from signals.files import write_table

SETTINGS = ("1:0", "1:1", "2:0", "2:1")
LIMITS = ("sse41", "avx2", "avx512_core")
"""Values of ONEDNN_MAX_CPU_ISA."""
Cell = Dict[str, Any]
"""What differs between a file's decoder and its encoder."""


def main() -> None:
    """Prints a matrix for each run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", help="run directories, or names under runs/")
    parser.add_argument("--image", required=True, help="file to code")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, help="THREADS:KERNELS")
    parser.add_argument("--output", metavar="FILE", help="CSV file of all cells")
    parser.add_argument("--work", choices=("encode", "decode"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with one_line_errors():
        if arguments.work is not None:
            threads = int(arguments.settings[0].split(":")[0])
            work(arguments.work, arguments, pathlib.Path(arguments.folder), threads)
            return
        for setting in arguments.settings:
            threads, _, kernels = setting.partition(":")
            if not threads.isdecimal() or int(threads) < 1 or kernels not in ("0", "1", *LIMITS):
                raise ValueError(
                    f"settings={setting!r} must be THREADS:KERNELS, such as 2:1; KERNELS is 0, 1, "
                    f"{', '.join(LIMITS)}."
                )
        sys.exit(0 if print_matrices(arguments) else 1)


def print_matrices(arguments) -> bool:
    """Encodes and decodes under every setting; returns whether all latents are the encoder's."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("encode", "decode"):
            for setting in arguments.settings:
                run_worker(kind, setting, arguments, folder)
        cells = {
            run: {
                encoder: {
                    decoder: json.loads(
                        pathlib.Path(folder, file_name(number, encoder, decoder)).read_text()
                    )
                    for decoder in arguments.settings
                }
                for encoder in arguments.settings
            }
            for number, run in enumerate(arguments.runs)
        }
    if arguments.output:
        write_cells(pathlib.Path(arguments.output), cells)
    exact = True
    for run, rows in cells.items():
        print(f"\n{run}: latents that differ from the encoder's, threads:kernels")
        print("encoded \\ decoded" + "".join(f"{name:>14}" for name in arguments.settings))
        for encoder, row in rows.items():
            counts = [cell["latents"] for cell in row.values()]
            exact = exact and not any(counts)
            print(f"{encoder:17}" + "".join(f"{count:14}" for count in counts))
    print("\nexact" if exact else "\nNOT exact")
    return exact


def write_cells(path: pathlib.Path, cells: Dict[str, Dict[str, Dict[str, Cell]]]) -> None:
    """Writes a row of CSV for each run, setting of the encoder and setting of the decoder."""
    columns = ("run", "encoded", "decoded", "latents", "pixels", "gray_levels", "error")
    table = [
        {"run": run, "encoded": encoder, "decoded": decoder, **cell}
        for run, rows in cells.items()
        for encoder, row in rows.items()
        for decoder, cell in row.items()
    ]
    write_table(path, columns, table)


def run_worker(kind: str, setting: str, arguments, folder: str) -> None:
    """Starts a process with a setting, which encodes with all runs or decodes all files."""
    others = [name for name in arguments.settings if name != setting]
    command = [sys.executable, __file__, *arguments.runs, "--image", arguments.image]
    command += ["--work", kind, "--folder", folder, "--settings", setting, *others]
    kernels = setting.partition(":")[2]
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0" if kernels == "0" else "1"}
    if kernels in LIMITS:
        environment["ONEDNN_MAX_CPU_ISA"] = kernels.upper()
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ValueError(f"{kind} at {setting}: {done.stderr.strip().removeprefix('error: ')}")


def work(kind: str, arguments, folder: pathlib.Path, threads: int) -> None:
    """Encodes or decodes in this process, whose setting is the first one."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    from assembly.saved_run import load_run
    from codec.image_codec import to_pixels
    from codec.latent_coder import LatentCoder, Latents
    from signals.image_files import read_image

    own, *_ = settings = arguments.settings
    for number, run in enumerate(arguments.runs):
        model = load_run(run).codec.model
        coder = LatentCoder(model)
        pixels = read_image(pathlib.Path(arguments.image))
        size = pixels.shape[:2]
        if kind == "encode":
            coded = coder.quantize(Latents(model.analyze(pixels)))
            (folder / file_name(number, own)).write_bytes(coder.encode(coded))
            decoded = to_pixels(model.synthesize(coded.values, *size))
            np.savez(folder / file_name(number, own, "npz"), latents=coded.values, pixels=decoded)
            continue
        for encoder in settings:
            expected = np.load(folder / file_name(number, encoder, "npz"))
            data = (folder / file_name(number, encoder)).read_bytes()
            try:
                values = coder.decode(data, *model.latent_grid(*size))
            except ValueError as error:  # Other scale indexes: nothing could be decoded.
                cell = {"latents": expected["latents"].size, "error": str(error)}
            else:
                decoded = to_pixels(model.synthesize(values, *size)).astype(int)
                difference = np.abs(decoded - expected["pixels"])
                cell = {
                    "latents": int(np.count_nonzero(values.numpy() != expected["latents"])),
                    "pixels": int(np.count_nonzero(difference)),
                    "gray_levels": int(difference.max()),
                }
            (folder / file_name(number, encoder, own)).write_text(json.dumps(cell))


def file_name(number: int, *parts: str) -> str:
    """Name of a file in the working folder."""
    return ".".join([str(number), *(part.replace(":", "-") for part in parts)])


if __name__ == "__main__":
    set_process()
    main()
