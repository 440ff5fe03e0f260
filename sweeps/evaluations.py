"""Evaluation of many saved runs: finished ones are skipped, failed ones are named at the end."""

from __future__ import annotations

import contextlib
import glob
import io
import itertools
import json
import multiprocessing
import os
import pathlib
import signal
import time
import traceback
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from omegaconf import DictConfig, OmegaConf

from assembly.parts import build_part
from assembly.refining import refinement_settings
from evaluation.media import MEDIA
from evaluation.results import Dataset, Results
from training.checkpoints import model_digest
from training.progress import clock
from training.run_directory import RunDirectory, run_path

EvaluateRun = Callable[[str, DictConfig], Results]
"""Evaluates one run as a configuration of evaluate.py says; other processes call it by its name."""


def find_runs(words: Union[str, Sequence[str]]) -> List[pathlib.Path]:
    """Directories that names, paths and shell-style patterns mean, each once, in their order.

    A bare name or pattern stands under ``runs/``. Files that a pattern meets (logs) are no runs.

    Raises:
        ValueError: a word names no directory.
    """
    found: Dict[pathlib.Path, None] = {}
    for word in [words] if isinstance(words, str) else words:
        pattern = run_path(word)
        # A name with brackets in it is a path first, a pattern second.
        paths = (
            [pattern] if pattern.exists() else map(pathlib.Path, sorted(glob.glob(str(pattern))))
        )
        folders = [path for path in paths if path.is_dir()]
        if not folders:
            raise ValueError(f"runs={word!r} names no run directory.")
        found.update(dict.fromkeys(folders))
    return list(found)


def data_to_evaluate(data: DictConfig, source: Any, split: Optional[str]) -> Tuple[Any, str]:
    """The source and its split that a run is evaluated on.

    Args:
        data: the node of the data that it was trained on.
        source: other data, or None for the test split of its own.
        split: of either; None takes what is usual for it.
    """
    if source is None:
        return build_part(data), split or "test"
    return source, split or source.evaluation_split


def results_name(
    source: Any, split: str, stages: Optional[int], refinement: Optional[str] = None
) -> str:
    """What results on a split are called: those of fewer stages or refined ones are kept apart."""
    stages_named = f"-stages{stages}" if stages else ""
    return source.name_of(split) + stages_named + (f"-{refinement}" if refinement else "")


def evaluate_runs(config: DictConfig, evaluate_run: EvaluateRun) -> int:
    """Evaluates ``config.runs`` and says one line a run.

    What has been measured with the same weights, on the same pixels, in the same way is skipped.

    Args:
        config: of evaluate.py.
        evaluate_run: evaluates one of them; what it prints but for warnings is not shown.

    Returns:
        How many runs failed.

    Raises:
        ValueError: a setting is out of its range, or there is nothing to evaluate.
    """
    if config.n_jobs < 1:
        raise ValueError(f"n_jobs={config.n_jobs} must be at least 1.")
    if config.classical is None:
        config = OmegaConf.merge(config, {"classical": []})
    runs = find_runs(config.runs)
    known = _KnownData(config)
    waiting = [run for run in runs if config.overwrite or not known.is_evaluated(run)]
    if len(waiting) < len(runs):
        print(f"{len(runs) - len(waiting)} of {len(runs)} runs have been evaluated.", flush=True)
    failed, started = {}, time.monotonic()
    for number, (run, outcome) in enumerate(_outcomes(waiting, config, evaluate_run), start=1):
        elapsed = time.monotonic() - started
        remaining = elapsed / number * (len(waiting) - number)
        times = f"{clock(elapsed)}, ETA {clock(remaining)}"
        try:
            line = outcome()
        except Exception as error:  # Whatever it is, it is of this run alone.
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                traceback.print_exc()
            failed[run] = " ".join(str(error).split()) or type(error).__name__
            line = f"failed: {failed[run]}"
        print(f"[{number}/{len(waiting)}] {run.name}: {line} ({times})", flush=True)
    for run, reason in failed.items():
        print(f"failed: {run}: {reason}", flush=True)
    return len(failed)


def _outcomes(
    runs: Sequence[pathlib.Path], config: DictConfig, evaluate_run: EvaluateRun
) -> Iterator[Tuple[pathlib.Path, Callable[[], str]]]:
    """Each run and what gives its line, or raises, as they are finished."""
    if config.n_jobs == 1 or len(runs) <= 1:
        for run in runs:
            outcome: Future = Future()
            try:
                outcome.set_result(_evaluate_quietly(evaluate_run, str(run), config))
            except Exception as error:
                outcome.set_exception(error)
            yield run, outcome.result
        return
    pool = ProcessPoolExecutor(
        min(config.n_jobs, len(runs)),
        # A fork of a process that runs TensorFlow hangs.
        multiprocessing.get_context("spawn"),
        initializer=signal.signal,
        initargs=(signal.SIGINT, signal.SIG_DFL),
    )
    with _cancelled_at_the_end(pool):
        waiting = {
            pool.submit(_evaluate_quietly, evaluate_run, str(run), config): run for run in runs
        }
        for done in as_completed(waiting):
            yield waiting[done], done.result


@contextlib.contextmanager
def _cancelled_at_the_end(pool: Executor) -> Iterator[None]:
    try:
        yield
    finally:
        pool.shutdown(cancel_futures=True)


def _evaluate_quietly(evaluate_run: EvaluateRun, run: str, config: DictConfig) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        results = evaluate_run(run, config)
    warnings = [line for line in said.getvalue().splitlines() if line.startswith("warning: ")]
    return "; ".join([_in_short(results), *warnings])


def _in_short(results: Results) -> str:
    shown = {
        "bpp": "{:.4f} bpp",
        "psnr-rgb": "{:.2f} dB",
        "ms-ssim-rgb": "MS-SSIM {:.4f}",
        "kbps": "{:.3f} kbps",
        "si-sdr": "SI-SDR {:.2f} dB",
        "log-mel": "log-mel {:.2f} dB",
    }
    points = {key: values[0] for key, values in results.points.items()}
    return ", ".join(text.format(points[key]) for key, text in shown.items() if key in points)


class _KnownData:
    """Which results are of a run as it is, on the data as they are."""

    def __init__(self, config: DictConfig):
        self._asked = config
        # Built here also to find a mistake before any run is loaded.
        self._source = build_part(config.data) if config.get("data") else None
        self._digests: Dict[str, str] = {}

    def is_evaluated(self, run: pathlib.Path) -> bool:
        """Whether the table, which is written last, stands beside results of this request."""
        directory = RunDirectory(run)
        if not directory.trained:
            return False
        asked, data = self._asked, directory.load_config().data
        source, split = data_to_evaluate(data, self._source, asked.split)
        refinement = refinement_settings(asked.get("refinement"))
        name = results_name(source, split, asked.stages, refinement and refinement["name"])
        path = directory.results / f"{name}.json"
        if not (path.exists() and path.with_suffix(".txt").exists()):
            return False
        document = json.loads(path.read_text())
        made = document["provenance"]
        return (
            made.get("checkpoint") == model_digest(directory.model)
            and made["config"].get("precision") == asked.precision
            and made.get("stages") == asked.stages
            and made.get("refinement") == refinement
            and _are_among(asked.classical, made.get("classical", ()))
            and document["dataset"]["sha256"] == self._pixels(data, source, split)
        )

    def _pixels(self, data: DictConfig, source: Any, split: str) -> str:
        key = "named" if self._source else OmegaConf.to_yaml(data, resolve=True)
        if key not in self._digests:
            medium = MEDIA[source.medium]
            files = itertools.islice(medium.whole_files(source, split), self._asked.limit)
            digests = [medium.digest(file) for file in files]
            self._digests[key] = Dataset.from_digests("", digests).sha256
        return self._digests[key]


def _are_among(asked: Sequence[str], measured: Optional[Sequence[str]]) -> bool:
    """Whether the classical codecs asked for are among those measured; None: all of them."""
    return measured is None or set(asked) <= set(measured)
