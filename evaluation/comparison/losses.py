"""The loss of coded files at equal lmbda, paired by seed and file.

``loss = bpp + lmbda * distortion`` (for audio bits per sample), with the rate of the coded file and
the distortion of the file decoded from it. It is what training minimises, so it compares two runs
of one lmbda without a curve: no overlap, no interpolation, no four points.
"""

from __future__ import annotations

import json
from typing import Callable, Dict, NamedTuple, Sequence, Tuple

import numpy as np

from evaluation.comparison.bootstrap import Draws, weights_of
from evaluation.comparison.measurements import Measurement

_DISTORTIONS: Dict[str, Tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "MeanSquaredError": ("psnr-rgb", lambda psnr: 255.0**2 * 10 ** (-psnr / 10)),
    "MultiScaleSsim": ("ms-ssim-rgb", lambda similarity: 1 - similarity),
}
"""Class of a distortion -> the metric that it follows from, and how: older results have no loss."""


class PairedLosses(NamedTuple):
    """Differences of log loss, of what both curves have.

    Attributes:
        lmbdas: rising.
        seeds: sorted.
        differences: natural logarithm of the loss over the anchor's loss, [lmbdas, seeds, files].
    """

    lmbdas: Tuple[float, ...]
    seeds: Tuple[int, ...]
    differences: np.ndarray

    def draws(self, *, resamples: int, seed: int) -> Draws:
        """Weights of files and seeds; a seed is drawn for all lmbda at once."""
        generator = np.random.default_rng(seed)
        _, seeds, files = self.differences.shape
        return Draws(
            weights_of(generator, files, resamples), (weights_of(generator, seeds, resamples),)
        )


def paired_losses(anchor: Sequence[Measurement], runs: Sequence[Measurement]) -> PairedLosses:
    """Pairs the losses of two groups of runs.

    Args:
        anchor: runs to compare with.
        runs: to compare; only lmbda and seeds that both have are used.

    Raises:
        ValueError: there is nothing to pair, or files without a loss, or two runs have equal lmbda
            and seed.
    """
    # The lmbda of a quality is a power with many digits, beside one that was typed.
    qualities = [run.results.provenance.get("quality") for run in (*anchor, *runs)]
    digits = 3 if any(quality is not None for quality in qualities) else 17
    first, second = _by_setting(anchor, digits), _by_setting(runs, digits)
    every = [*first.values(), *second.values()]
    digests = {run.rows[0].digests if run.rows else () for run in every}
    if not every or () in digests:
        raise ValueError("loss at equal lmbda needs trained runs with per-file rows.")
    if len(digests) > 1:
        raise ValueError("loss at equal lmbda needs runs measured on the same files.")
    if len({_distortion(run) for run in every}) > 1:
        names = ", ".join(sorted({_distortion_class(run) for run in every}))
        raise ValueError(f"loss at equal lmbda needs runs of one distortion, got {names}.")
    lmbdas = sorted({lmbda for lmbda, _ in first} & {lmbda for lmbda, _ in second})
    seeds_of = [
        {s for at, s in side if at == lmbda} for side in (first, second) for lmbda in lmbdas
    ]
    seeds = sorted(set.intersection(*seeds_of)) if lmbdas else []
    if not seeds:
        raise ValueError("loss at equal lmbda needs runs of the same lmbda and seed.")
    logs = [
        np.array([[np.log(losses_of(side[lmbda, seed])) for seed in seeds] for lmbda in lmbdas])
        for side in (first, second)
    ]
    differences = logs[1] - logs[0]
    known = np.isfinite(differences).all(axis=(0, 1))  # Small images have no MS-SSIM.
    if known.sum() < 2:
        raise ValueError("loss at equal lmbda needs at least 2 files with a distortion.")
    return PairedLosses(tuple(lmbdas), tuple(seeds), differences[:, :, known])


def _by_setting(runs: Sequence[Measurement], digits: int) -> Dict[Tuple[float, int], Measurement]:
    """By lmbda, to this many digits, and seed."""
    found: Dict[Tuple[float, int], Measurement] = {}
    for run in runs:
        if not run.is_run:
            continue
        lmbda, seed = float(f"{run.config['lmbda']:.{digits}g}"), int(run.config["seed"])
        other = found.setdefault((lmbda, seed), run)
        if other is not run:
            raise ValueError(
                f"{other.source} and {run.source} are both lmbda={lmbda} seed={seed}; a curve has "
                "one run of each."
            )
    return found


def _distortion_class(run: Measurement) -> str:
    stated = run.config.get("distortion")
    return str(stated.get("_target_") if isinstance(stated, dict) else stated).rpartition(".")[2]


def _distortion(run: Measurement) -> str:
    """Equal for runs of one distortion: its class, and its settings where they matter."""
    name = _distortion_class(run)
    if name in _DISTORTIONS:
        return name
    return json.dumps(run.config.get("distortion"), sort_keys=True)


def losses_of(run: Measurement) -> np.ndarray:
    """``bpp + lmbda * distortion`` of each file; for audio in bits per sample.

    Raises:
        ValueError: there are no per-file rows, or they tell neither the loss nor what it follows
            from.
    """
    values = run.rows[0].values if run.rows else {}
    if "loss" in values:
        return values["loss"]
    metric, distortion = _DISTORTIONS.get(_distortion_class(run), ("", None))
    if metric not in values:
        raise ValueError(f"{run.source} has no loss of each file.")
    return values[run.results.medium.rate] + run.config["lmbda"] * distortion(values[metric])
