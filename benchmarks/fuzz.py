"""Decodes files that no encoder wrote, with every class of quantizer in every model.

python benchmarks/fuzz.py                        # 100,000 files
python benchmarks/fuzz.py --files 3000 --only audio
python benchmarks/fuzz.py --log build/fuzz.csv   # the same command continues after a stop
python benchmarks/fuzz.py --only bls2017/lattice --first 417 --files 1     # the file of a failure

Each must decode, or be refused by one of the codec's errors, within 2 seconds of CPU time; the
memory of the process must not grow by more than 500 MB. The first failure is printed with its
command and ends the run with status 1. Files depend on the seed, the model and their number alone.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import csv
import io
import os
import pathlib
import random
import resource
import sys
import threading
import time
from typing import Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from fuzzed_models import build, configurations, originals_of
from mutations import Original, mutant

from assembly.user_errors import one_line_errors
from processor.process import set_process
from signals.files import write_atomically

MOST_SECONDS = 2.0
MOST_MEMORY = 500 * 2**20
HANG_SECONDS = 20.0
"""Of CPU time, after which a decoder that does not return ends the process."""


class Failure(Exception):
    """A file took too long or too much memory, or raised an error that is not the codec's."""


def main() -> None:
    """Fuzzes all models, or those of ``--only``, each with its share of the files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=100_000, metavar="N", help="over all models")
    parser.add_argument(
        "--only", nargs="+", default=[""], metavar="NAME", help="MODEL, QUANTIZER, MODEL/QUANTIZER"
    )
    parser.add_argument("--first", type=int, default=0, metavar="N", help="number of the first")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--log", metavar="FILE", help="one row per model; models in it are done")
    arguments = parser.parse_args()
    with one_line_errors():
        names = [
            name
            for name in configurations()
            if any(name.startswith(each) or name.endswith(f"/{each}") for each in arguments.only)
        ]
        if not names or arguments.files < 1:
            raise ValueError(
                f"--only {' '.join(arguments.only)} --files {arguments.files} must be at least one "
                "model and one file."
            )
        watch = Watch()
        try:
            fuzz(names, arguments, watch)
        except Failure as failure:
            print(f"FAILED: {watch.command}\n{failure}")
            sys.exit(1)


class Share(NamedTuple):
    """One model's share of the files, and a row of the log.

    Attributes:
        model: name of the model.
        seed: of the files.
        first: number of the first.
        files: how many.
        outcomes: how many of which kind, as text.
        seconds: of CPU time that the slowest took.
        megabytes: by which the memory of the process grew.
    """

    model: str
    seed: int
    first: int
    files: int
    outcomes: str
    seconds: float
    megabytes: float


def fuzz(names: List[str], arguments: argparse.Namespace, watch: Watch) -> None:
    """Decodes each model's share of the files and prints a line for each model.

    Raises:
        Failure: a file took too long or too much memory, or raised an error not the codec's.
    """
    each = -(-arguments.files // len(names))
    log = pathlib.Path(arguments.log) if arguments.log else None
    wanted = [(name, str(arguments.seed), str(arguments.first), str(each)) for name in names]
    shares = {share[:4]: share for share in _read(log) if share[:4] in wanted}
    waiting = [name for name, key in zip(names, wanted) if key not in shares]
    started = time.monotonic()
    for number, name in enumerate(waiting, start=1):
        share = fuzz_model(name, arguments.seed, arguments.first, each, watch)
        shares[name] = share
        _append(log, share)
        elapsed = time.monotonic() - started
        left = elapsed / number * (len(waiting) - number)
        print(
            f"[{number}/{len(waiting)}] {name}: {each} files, slowest {share.seconds:.2f} s of CPU "
            f"time, {share.megabytes:.0f} MB (ETA {left / 60:.0f} min)",
            flush=True,
        )
    print(summary(shares.values()))


def fuzz_model(name: str, seed: int, first: int, files: int, watch: Watch) -> Share:
    """Decodes a model's share; raises as `fuzz` does."""
    codec = build(name)
    originals = list(originals_of(codec))
    outcomes: Dict[str, int] = collections.Counter()
    slowest = 0.0
    before = start_of_peak()
    for number, data in mutants(originals, f"{seed} {name}", range(first, first + files)):
        watch.begin(f"--seed {seed} --only {name} --first {number} --files 1", data)
        start = time.process_time()
        outcomes[outcome(codec, data)] += 1
        seconds = time.process_time() - start
        slowest = max(slowest, seconds)
        if seconds > MOST_SECONDS:
            raise Failure(f"{seconds:.1f} seconds of CPU time for {len(data)} bytes")
        if peak_memory() - before > MOST_MEMORY:
            raise Failure(f"{(peak_memory() - before) / 2**20:.0f} MB for {len(data)} bytes")
    watch.end()
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(outcomes.items()))
    grown = (peak_memory() - before) / 2**20
    return Share(name, seed, first, files, listed, round(slowest, 3), round(grown, 1))


def summary(shares: Iterable[Share]) -> str:
    """A line for all shares together."""
    shares = list(shares)
    outcomes: Dict[str, int] = collections.Counter()
    for share in shares:
        for text in share.outcomes.split(", "):
            count, kind = text.split(" ")
            outcomes[kind] += int(count)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(outcomes.items()))
    return (
        f"{sum(int(share.files) for share in shares)} files of {len(shares)} models: {listed}; "
        f"slowest {max(float(share.seconds) for share in shares):.2f} s of CPU time, memory grew "
        f"by {max(float(share.megabytes) for share in shares):.0f} MB at most"
    )


def _read(log: Optional[pathlib.Path]) -> List[Share]:
    """The rows of a log; one that a damaged disk cut short is left out."""
    if log is None or not log.exists():
        return []
    with log.open(newline="") as file:
        return [Share(*row) for row in csv.reader(file) if len(row) == len(Share._fields)][1:]


def _append(log: Optional[pathlib.Path], share: Share) -> None:
    if log is not None:
        file = io.StringIO()
        csv.writer(file).writerows([Share._fields, *_read(log), share])
        write_atomically(log, file.getvalue().encode())


def mutants(
    originals: Sequence[Original], seed: str, numbers: Iterable[int]
) -> Iterator[Tuple[int, bytes]]:
    """Numbers and changed files, which depend on the seed and the number alone."""
    for number in numbers:
        rng = random.Random(f"{seed} {number}")
        yield number, mutant(rng.choice(originals), rng)


def outcome(codec, data: bytes) -> str:
    """What became of a file.

    Raises:
        Failure: an error was raised that is not the codec's.
    """
    from codec import DamagedFile, ForeignFile, TooLarge

    try:
        codec.decode(data)
    except (DamagedFile, ForeignFile, TooLarge) as error:
        return type(error).__name__
    except Exception as error:
        raise Failure(f"{type(error).__name__}: {error}") from error
    return "decoded"


def start_of_peak() -> float:
    """Where `peak_memory` starts from: on Linux the memory in use, elsewhere the peak so far."""
    with contextlib.suppress(OSError):
        pathlib.Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


def peak_memory() -> float:
    """Peak resident memory of this process since the last `start_of_peak`, in bytes."""
    try:
        status = pathlib.Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])
    except (OSError, IndexError):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


class Watch:
    """Ends the process if a decoder does not return, and knows the file that was decoded last."""

    def __init__(self) -> None:
        """Starts watching."""
        self.command = ""
        self._began = None
        threading.Thread(target=self._wait, daemon=True).start()

    def begin(self, options: str, data: bytes) -> None:
        """A file is being decoded."""
        self.command = f"python benchmarks/fuzz.py {options}"
        self._size, self._began = len(data), time.process_time()

    def end(self) -> None:
        """No file is being decoded."""
        self._began = None

    def _wait(self) -> None:
        while True:
            time.sleep(1)
            began = self._began
            if began is not None and time.process_time() - began > HANG_SECONDS:
                print(f"FAILED: {self.command}\nno end for {self._size} bytes", flush=True)
                os._exit(1)


if __name__ == "__main__":
    set_process()
    main()
