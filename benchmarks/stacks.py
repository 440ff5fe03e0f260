"""Compares this environment with another one: training steps and coding, in turns.

python benchmarks/stacks.py OTHER/bin/python --models bls2017,hyperprior --rounds 8

Each environment and precision is a process of its own with the process settings of the commands;
figures are medians.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

from tfc_processes import FILTERS
from timing import in_turn
from training_speed import LATENTS

from processor.process import set_process

PRECISIONS = ("float32", "bfloat16")
CASES = ("train", "encode", "decode")


def main() -> None:
    """Prints a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("other", help="the Python of the other environment")
    parser.add_argument("--models", default="bls2017,hyperprior", help="comma-separated")
    parser.add_argument("--precisions", default="float32,bfloat16", help="comma-separated")
    parser.add_argument("--rounds", type=int, default=8, help="measurements of each case")
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error(f"--rounds={arguments.rounds} must be at least 1.")
    if shutil.which(arguments.other) is None:
        parser.error(f"{arguments.other}: there is no such program.")
    models, precisions = arguments.models.split(","), arguments.precisions.split(",")
    for option, given, known in (
        ("models", models, LATENTS), ("precisions", precisions, PRECISIONS),
    ):  # fmt: skip
        if not set(given) <= set(known):
            parser.error(f"--{option}={','.join(given)}: must be among {', '.join(known)}.")
    for model in models:
        for precision in precisions:
            compare(arguments.other, model, precision, arguments.rounds)


def compare(other: str, model: str, precision: str, rounds: int) -> None:
    """Prints the seconds of both, and their ratio, for each case."""
    with contextlib.ExitStack() as stack:
        here, there = (
            stack.enter_context(_process(python, model, precision))
            for python in (sys.executable, other)
        )
        # Files are decoded in float32 whatever the precision of training.
        cases = CASES if precision == "float32" else CASES[:1]
        turns = {
            (case, who): functools.partial(run, case)
            for case in cases
            for who, run in (("here", here), ("there", there))
        }
        seconds = in_turn(turns, rounds)
    print(f"\n{model}, {precision}\n{'':10}{'here, ms':>12}{'there, ms':>12}{'speed-up':>12}")
    for case in cases:
        ours, theirs = seconds[case, "here"], seconds[case, "there"]
        print(f"{case:10}{1e3 * ours:12.0f}{1e3 * theirs:12.0f}{ours / theirs:12.2f}", flush=True)


@contextlib.contextmanager
def _process(python: str, model: str, precision: str) -> Iterator[Callable[[str], None]]:
    command = [python, __file__, "serve", model, precision]
    with subprocess.Popen(
        command, text=True, bufsize=1, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:

        def run(case: str) -> None:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(f"{case}\n")
            if process.stdout.readline() != "done\n":
                sys.exit(f"error: {' '.join(command)} ended with status {process.wait()}.")

        yield run
        process.stdin.close()


def serve(name: str, precision: str) -> None:
    """Runs a case for each line of input and answers with a line."""
    set_process()
    from tfc_processes import batch_of_noise
    from training_speed import training_step
    from untrained_models import codec_of, configured_model, photograph

    images, step = batch_of_noise(), None
    pixels = photograph(512, 768)
    codec = data = None
    for case in map(str.strip, sys.stdin):
        if case == "train":
            step = step or training_step(configured_model(name, FILTERS, LATENTS[name], precision))
            step(images).finite.numpy()
        else:
            codec = codec or codec_of(configured_model(name, FILTERS, LATENTS[name]), pixels)
            data = data or codec.encode(pixels)
            codec.encode(pixels) if case == "encode" else codec.decode(data)
        print("done", flush=True)


if __name__ == "__main__":
    serve(*sys.argv[2:]) if sys.argv[1:2] == ["serve"] else main()
