"""Measures speed and memory against TFC's published script and against the machine itself.

python benchmarks/benchmark.py                          # all parts, 15 minutes on two cores
python benchmarks/benchmark.py --parts train --models hyperprior --rounds 20

Cases that are compared take turns, round after round, and figures are medians, so that other work
on the machine affects all of them alike. Training steps of TFC's script run in processes of their
own, one as published, one with the process settings of Roundtrip. Coding is compared within one
process, which has these settings. bfloat16 is measured only where the processor multiplies it
natively: emulated, a step takes minutes.
"""

from __future__ import annotations

import argparse

from coding_speed import LATENTS, code, code_hyper
from job_speed import pipeline, startup
from memory import audio, memory
from tfc_processes import CONVOLUTIONS
from training_speed import train

from processor.process import set_process

PARTS = ("train", "code", "startup", "pipeline", "memory", "audio")
PRECISIONS = ("float32", "bfloat16")


def main() -> None:
    """Runs the parts asked for; each prints a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])

    def listed(option: str, choices, **settings) -> None:
        names = ", ".join(choices)
        parser.add_argument(f"--{option}", help=f"comma-separated, from {names}", **settings)

    listed("parts", PARTS, default=",".join(PARTS))
    listed("models", CONVOLUTIONS, default=",".join(CONVOLUTIONS))
    listed("precisions", PRECISIONS)
    parser.add_argument("--rounds", type=int, default=8, help="measurements of each case")
    parser.add_argument("--steps", type=int, default=300, help="of the default job, for its memory")
    parser.add_argument("--minutes", type=int, default=60, help="of the audio that is coded")
    arguments = parser.parse_args()
    if min(arguments.rounds, arguments.steps, arguments.minutes) < 1:
        parser.error("--rounds, --steps and --minutes must be at least 1.")
    arguments.precisions = arguments.precisions or native_precisions()
    for option, choices in (("parts", PARTS), ("models", CONVOLUTIONS), ("precisions", PRECISIONS)):
        text = getattr(arguments, option)
        if not set(text.split(",")) <= set(choices):
            parser.error(f"--{option}={text}: must be among {', '.join(choices)}.")
    for part in arguments.parts.split(","):
        if part == "train":
            for name in arguments.models.split(","):
                train(name, arguments.rounds, arguments.precisions.split(","))
        elif part == "code":
            for name in LATENTS:
                code(name, arguments.rounds)
            code_hyper(arguments.rounds)
        elif part == "startup":
            startup()
        elif part == "pipeline":
            pipeline(arguments.rounds)
        elif part == "memory":
            memory(arguments.steps)
        else:
            audio(arguments.minutes)


def native_precisions() -> str:
    """The precisions that the machine multiplies natively."""
    from training.precision import resolve_precision

    return "float32,bfloat16" if resolve_precision("auto") == "bfloat16" else "float32"


if __name__ == "__main__":
    set_process()
    main()
