"""Evaluates many saved runs: skips those already measured, names those that fail at the end."""

from __future__ import annotations

import contextlib
import functools
import io
import multiprocessing
import os
import pathlib
import signal
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, Callable, Collection, Dict, Iterator, Optional, Sequence, Tuple

from omegaconf import DictConfig, OmegaConf

from assembly.parts import build_part
from assembly.refining import refinement_settings
from assembly.saved_run import trusted_config
from assembly.selection import Selection
from assembly.user_errors import USER_ERRORS
from evaluation.comparison.measurements import read_measurement
from evaluation.results import Results
from evaluation.settings import qualities
from processor.process import set_process
from sweeps.progress import progress
from training.best import model_folder
from training.checkpoints import model_digest
from training.run_directory import RunDirectory
from training.run_names import find_runs

EvaluateRun = Callable[[str, DictConfig], Results]
"""Evaluates one run with the configuration of evaluate.py; can be pickled."""


SHOWN = {
    "bpp": "{:.4f} bpp",
    "psnr-rgb": "{:.2f} dB",
    "ms-ssim-rgb": "MS-SSIM {:.4f}",
    "kbps": "{:.3f} kbps",
    "si-sdr": "SI-SDR {:.2f} dB",
    "log-mel": "log-mel {:.2f} dB",
}
"""Quantities of a run's results that its line shows."""


def data_to_evaluate(data: DictConfig, source: Any, split: Optional[str]) -> Tuple[Any, str]:
    """The source and the split that a run is evaluated on.

    Args:
        data: node of the data that the run was trained on.
        source: other data; None: the data that the run was trained on.
        split: of the source; None: its usual one.
    """
    if source is None:
        return build_part(data), split or "test"
    return source, split or source.evaluation_split


def results_name(
    source: Any,
    split: str,
    stages: Optional[int],
    refinement: Optional[str] = None,
    quality: Optional[float] = None,
    checkpoint: str = "last",
    precision: str = "float32",
) -> str:
    """Name of results on a split; tells stages, refined files, qualities, weights, precision."""
    parts = [
        source.name_of(split),
        f"stages{stages}" if stages else None,
        refinement,
        None if quality is None else f"q{quality:g}",
        None if checkpoint == "last" else checkpoint,
        None if precision == "float32" else precision,
    ]
    return "-".join(filter(None, parts))


def fits(
    path: pathlib.Path,
    model: pathlib.Path,
    selection: Selection,
    classical: Optional[Sequence[str]],
    precision: str = "float32",
    **how: Any,
) -> bool:
    """Whether results are of these weights, on these files, measured in this way.

    Args:
        path: the JSON file.
        model: folder of the weights.
        selection: the files.
        classical: codecs that must be among those compared with; None: all of the medium.
        precision: of the transforms.
        how: ``stages``, ``quality`` and ``refinement``; None where they are left out.

    Raises:
        FileNotFoundError: there are no results.
        ValueError: they are damaged.
    """
    results = read_measurement(path).results
    measured = results.provenance
    compared = measured.get("classical", ())  # None: all of them.
    # Older results have it in the place of the precision that the run was trained with.
    older = measured.get("config", {}).get("precision")
    return (
        measured.get("checkpoint") == model_digest(model)
        and measured.get("precision", older) == precision
        and all(measured.get(key) == how.get(key) for key in ("stages", "quality", "refinement"))
        and (compared is None or (classical is not None and set(classical) <= set(compared)))
        and results.dataset is not None
        and results.dataset.sha256 == selection.sha256
    )


def evaluate_runs(
    config: DictConfig, evaluate_run: EvaluateRun, trusted: Collection[str] = ()
) -> int:
    """Evaluates ``config.runs`` and prints a line for each.

    Runs that were measured with the same weights, on the same files, in the same way are skipped.

    Args:
        config: of evaluate.py.
        evaluate_run: evaluates one run; of its output, only warnings are shown.
        trusted: classes that runs may name besides those of ``configs/``.

    Returns:
        How many runs failed.

    Raises:
        ValueError: a setting is out of range, or there is nothing to evaluate.
    """
    if config.n_jobs < 1:
        raise ValueError(f"n_jobs={config.n_jobs} must be at least 1.")
    if config.classical is None:
        config = OmegaConf.merge(config, {"classical": []})
    runs = find_runs(config.runs)
    known = _KnownData(config, trusted)
    waiting = [run for run in runs if config.overwrite or not known.is_evaluated(run)]
    if len(waiting) < len(runs):
        print(f"{len(runs) - len(waiting)} of {len(runs)} runs have been evaluated.", flush=True)
    failed, started = {}, time.monotonic()
    for number, (run, result) in enumerate(_results(waiting, config, evaluate_run), start=1):
        try:
            line = result()
        except Exception as error:  # Whatever it is, the other runs continue.
            if os.environ.get("HYDRA_FULL_ERROR") == "1":
                traceback.print_exc()
            failed[run] = " ".join(str(error).split()) or type(error).__name__
            line = f"failed: {failed[run]}"
        print(progress(number, len(waiting), started, run.name, line), flush=True)
    for run, reason in failed.items():
        print(f"failed: {run}: {reason}", flush=True)
    return len(failed)


def _results(
    runs: Sequence[pathlib.Path], config: DictConfig, evaluate_run: EvaluateRun
) -> Iterator[Tuple[pathlib.Path, Callable[[], str]]]:
    """Each run as it finishes, with a function that returns its line or raises."""
    if config.n_jobs == 1 or len(runs) <= 1:
        for run in runs:
            yield run, functools.partial(_evaluate_quietly, evaluate_run, str(run), config)
        return
    pool = ProcessPoolExecutor(
        min(config.n_jobs, len(runs)),
        multiprocessing.get_context("spawn"),  # A fork hangs once TensorFlow has started.
        initializer=_start_worker,
    )
    try:
        waiting = {
            pool.submit(_evaluate_quietly, evaluate_run, str(run), config): run for run in runs
        }
        for done in as_completed(waiting):
            yield waiting[done], done.result
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    set_process()
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _evaluate_quietly(evaluate_run: EvaluateRun, run: str, config: DictConfig) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        results = evaluate_run(run, config)
    warnings = [line for line in output.getvalue().splitlines() if line.startswith("warning: ")]
    points = {key: values[0] for key, values in results.points.items()}
    shown = [text.format(points[key]) for key, text in SHOWN.items() if key in points]
    return "; ".join([", ".join(shown), *warnings])


class _KnownData:
    """Tells which results are of the current weights, on the current files."""

    def __init__(self, config: DictConfig, trusted: Collection[str]):
        self._config = config
        self._trusted = trusted
        # Built first, to find mistakes before any run is loaded.
        self._source = build_part(config.data) if config.get("data") else None
        self._selections: Dict[str, Selection] = {}

    def is_evaluated(self, run: pathlib.Path) -> bool:
        """Whether there are whole results of this request; a run that cannot be read has none."""
        try:
            return all(self._has_results(run, each) for each in qualities(self._config.quality))
        except USER_ERRORS:
            return False  # Its own evaluation says why.

    def _has_results(self, run: pathlib.Path, quality: Optional[float]) -> bool:
        directory = RunDirectory(run)
        if not directory.trained:
            return False
        config, data = self._config, trusted_config(directory, self._trusted).data
        source, split = data_to_evaluate(data, self._source, config.split)
        refinement = refinement_settings(config.get("refinement"))
        refined = refinement and refinement["name"]
        how = (config.stages, refined, quality, config.checkpoint, config.precision)
        usual = results_name(source, split, *how)
        selection = self._selection(data, source, split)
        path = directory.results / f"{selection.name_in(directory.results, usual)}.json"
        # The table is written last.
        if not all(path.with_suffix(suffix).exists() for suffix in (".txt", ".csv")):
            return False
        model = model_folder(directory, config.checkpoint)
        asked = {"stages": config.stages, "quality": quality, "refinement": refinement}
        return fits(path, model, selection, config.classical, config.precision, **asked)

    def _selection(self, data: DictConfig, source: Any, split: str) -> Selection:
        key = "named" if self._source else OmegaConf.to_yaml(data, resolve=True)
        if key not in self._selections:
            self._selections[key] = Selection(source, split, self._config.limit)
        return self._selections[key]
