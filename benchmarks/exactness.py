"""Codes an image under different settings of the machine and decodes each file under all others.

python benchmarks/exactness.py runs/hyperprior runs/autoregressive --image photo.png
python benchmarks/exactness.py runs/NAME --image photo.png --settings 1:0 2:1

A setting is THREADS:ONEDNN, a process of its own with that many threads and with oneDNN's kernels
on or off. The table counts the latents that decode to other values than the encoder's; the exit
status is 1 unless all counts are 0.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

from assembly.user_errors import one_line_errors
from processor.process import set_process

SETTINGS = ("1:0", "1:1", "2:0", "2:1")


def main() -> None:
    """Prints a matrix for each run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", help="run directories, or names under runs/")
    parser.add_argument("--image", required=True, help="file to code")
    parser.add_argument("--settings", nargs="+", default=SETTINGS, help="THREADS:ONEDNN")
    parser.add_argument("--work", choices=("encode", "decode"), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with one_line_errors():
        if arguments.work is not None:
            threads = int(arguments.settings[0].split(":")[0])
            work(arguments.work, arguments, pathlib.Path(arguments.folder), threads)
            return
        for setting in arguments.settings:
            threads, _, onednn = setting.partition(":")
            if not threads.isdecimal() or int(threads) < 1 or onednn not in ("0", "1"):
                raise ValueError(f"settings={setting!r} must be THREADS:ONEDNN, such as 2:1.")
        sys.exit(0 if print_matrices(arguments) else 1)


def print_matrices(arguments) -> bool:
    """Encodes and decodes under every setting; returns whether all latents are the encoder's."""
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("encode", "decode"):
            for setting in arguments.settings:
                run_worker(kind, setting, arguments, folder)
        exact = True
        for number, run in enumerate(arguments.runs):
            print(f"\n{run}: latents that differ from the encoder's, threads:oneDNN")
            print("encoded \\ decoded" + "".join(f"{name:>9}" for name in arguments.settings))
            for encoder in arguments.settings:
                counts = [
                    int(pathlib.Path(folder, file_name(number, encoder, decoder)).read_text())
                    for decoder in arguments.settings
                ]
                exact = exact and not any(counts)
                print(f"{encoder:17}" + "".join(f"{count:9}" for count in counts))
    print("\nexact" if exact else "\nNOT exact")
    return exact


def run_worker(kind: str, setting: str, arguments, folder: str) -> None:
    """Starts a process with a setting, which encodes with all runs or decodes all files."""
    others = [name for name in arguments.settings if name != setting]
    command = [sys.executable, __file__, *arguments.runs, "--image", arguments.image]
    command += ["--work", kind, "--folder", folder, "--settings", setting, *others]
    environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": setting[-1]}
    done = subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ValueError(f"{kind} at {setting}: {done.stderr.strip().removeprefix('error: ')}")


def work(kind: str, arguments, folder: pathlib.Path, threads: int) -> None:
    """Encodes or decodes in this process, whose setting is the first one."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    from assembly.saved_run import load_run
    from codec.latent_coder import LatentCoder, Latents
    from signals.image_files import read_image

    own, *_ = settings = arguments.settings
    for number, run in enumerate(arguments.runs):
        model = load_run(run).codec.model
        coder = LatentCoder(model)
        pixels = read_image(pathlib.Path(arguments.image))
        if kind == "encode":
            coded = coder.quantize(Latents(model.analyze(pixels)))
            (folder / file_name(number, own)).write_bytes(coder.encode(coded))
            np.save(folder / file_name(number, own, "npy"), coded.values)
            continue
        grid = model.latent_grid(*pixels.shape[:2])
        for encoder in settings:
            expected = np.load(folder / file_name(number, encoder, "npy"))
            try:
                decoded = coder.decode((folder / file_name(number, encoder)).read_bytes(), *grid)
                differing = np.count_nonzero(decoded.numpy() != expected)
            except ValueError:  # Other scale indexes: nothing could be decoded.
                differing = expected.size
            (folder / file_name(number, encoder, own)).write_text(str(differing))


def file_name(number: int, *parts: str) -> str:
    """Name of a file in the working folder."""
    return ".".join([str(number), *(part.replace(":", "-") for part in parts)])


if __name__ == "__main__":
    set_process()
    main()
