"""Codes files with a saved run and measures them: rate on disk, distortion after decoding.

python evaluate.py run=runs/NAME data=image_folder data.root=/photos
python evaluate.py pretrained=image data=image_folder data.root=/photos
python evaluate.py 'runs=runs/compare-*' data=image_folder data.root=/photos n_jobs=2
python evaluate.py run=runs/NAME quality=[0,25,50,75,100]
"""

from __future__ import annotations

import functools
import sys
from typing import Collection, Optional, Sequence

from processor.process import set_process

if __name__ == "__main__":
    set_process()  # Before the imports that take long.

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from assembly.choices import checked
from assembly.command_line import run_command
from assembly.user_errors import one_line_errors
from evaluation.settings import EvaluationSettings, qualities, register_evaluation_settings
from training.run_names import PRETRAINED_PREFIX


@hydra.main(version_base="1.3", config_path="configs", config_name="evaluate")
def main(config: DictConfig) -> None:
    """Entry point: one run, or many, on one dataset."""
    with one_line_errors():
        checked(EvaluationSettings, config)
        from assembly.trust import named_folders, targets_in

        trusted = targets_in(named_folders(HydraConfig.get()))
        if config.runs is None:
            run = PRETRAINED_PREFIX + config.pretrained if config.run is None else config.run
            _evaluate_configured(run, config, trusted)
            return
        from sweeps.evaluations import evaluate_runs

        evaluate_run = functools.partial(_evaluate_configured, trusted=trusted)
        sys.exit(int(evaluate_runs(config, evaluate_run, trusted) > 0))


def _evaluate_configured(run: str, config: DictConfig, trusted: Collection[str]):
    """``evaluate`` with the arguments in ``config``; worker processes find it by this name."""
    from assembly.parts import build_part

    names = ("split", "limit", "precision", "stages", "classical", "refinement", "checkpoint")
    source = build_part(config.data) if config.get("data") else None
    options = {name: config.get(name) for name in names}
    for quality in qualities(config.quality):
        results = evaluate(run, source, **options, quality=quality, trusted=trusted)
    return results


def evaluate(
    run: str,
    source=None,
    split: Optional[str] = None,
    limit: Optional[int] = None,
    precision: str = "float32",
    stages: Optional[int] = None,
    classical: Optional[Sequence[str]] = None,
    refinement: Optional[DictConfig] = None,
    quality: Optional[float] = None,
    trusted: Collection[str] = (),
    checkpoint: str = "last",
):
    """Evaluates a trained run; the results are written to its directory.

    Args:
        run: directory or name of a trained run.
        source: images or audio; None: the test split of the data that the run was trained on.
        split: of the source; None: the one that the source offers for evaluation.
        limit: maximum number of files.
        precision: of the transforms; the results' name includes any but float32.
        stages: number of stages of a residual quantizer that the files get; None: all.
        classical: names of the classical codecs to compare with; None: all of the medium.
        refinement: node of ``configs/refinement``, whose name the results then bear; None: none.
        quality: of a variable-rate run, 0 to 100, which the results' name then includes; None:
            that of the run's own lmbda.
        trusted: classes that the run may name besides those of ``configs/``.
        checkpoint: "last", or "best" for the weights with the lowest validation loss, whose
            results are named so.

    Returns:
        The results as ``evaluation.results.Results``.
    """
    from omegaconf import OmegaConf

    from assembly.media import check_classical
    from assembly.refining import Refining
    from assembly.run_objective import RunObjective
    from assembly.saved_run import load_run
    from assembly.selection import Selection
    from evaluation.media import MEDIA
    from evaluation.provenance import provenance
    from evaluation.report import report
    from sweeps.evaluations import data_to_evaluate, results_name
    from training.best import model_folder
    from training.checkpoints import model_digest

    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit} must be at least 1, or null for all files.")
    saved = load_run(run, precision, stages, trusted, checkpoint)
    saved = saved if quality is None else saved.at_quality(quality)
    check_classical(saved.medium, classical)
    refine = None if refinement is None else Refining(saved, refinement)
    source, split = data_to_evaluate(saved.config.data, source, split)
    medium = MEDIA[saved.medium]
    if source.medium != saved.medium:
        raise ValueError(
            f"data={type(source).__name__} is for {MEDIA[source.medium].content}, but run={run!r} "
            f"codes {medium.content}."
        )
    selection = Selection(source, split, limit)
    if selection.is_empty:
        raise ValueError(
            f"split={split!r} of {source.name} has no {medium.files} to measure: split= names "
            "another."
        )
    if saved.medium == "image" and "patch_size" in saved.config.data:
        _check_patches(saved, next(selection.files()))
    how = (stages, refine and refine.name, quality, checkpoint, precision)
    usual = results_name(source, split, *how)
    name = selection.name_in(saved.directory.results, usual)
    if name != usual:
        print(f"results are named {name}, to keep those of other files", flush=True)
    return report(
        medium,
        saved.codec,
        selection.files,
        saved.directory.results,
        dataset=name,
        classical=classical,
        provenance=provenance(
            config=OmegaConf.to_container(saved.config, resolve=True),
            seed=saved.config.seed,
            fingerprint=saved.codec.fingerprint.hex(),
            checkpoint=model_digest(model_folder(saved.directory, checkpoint)),
            split=split,
            limit=limit,
            precision=precision,
            stages=stages,
            quality=quality,
            classical=None if classical is None else list(classical),
            refinement=refine and refine.settings,
        ),
        refine=refine,
        objective=RunObjective(saved),
    )


def _check_patches(saved, image) -> None:
    """Warns if the run codes the first image differently from the patches it consists of."""
    from evaluation.patch_check import check_patches

    check = check_patches(saved.codec.model, image.pixels, saved.config.data.patch_size)
    warning = check and check.warning(image.name)
    if warning:
        print(warning, file=sys.stderr, flush=True)


if __name__ == "__main__":
    register_evaluation_settings()
    run_command(main, "evaluate")
