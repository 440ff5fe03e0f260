"""Codes files with a saved run and measures them: rate on disk, distortion after decoding.

python evaluate.py run=runs/NAME data=image_folder data.root=/photos
"""

from __future__ import annotations

import itertools
import sys
from typing import Optional

import hydra
from omegaconf import DictConfig

from assembly.choices import check_choices
from assembly.parts import build_part
from assembly.user_errors import one_line_errors


@hydra.main(version_base="1.3", config_path="configs", config_name="evaluate")
def main(config: DictConfig) -> None:
    """Entry point: one run on one dataset."""
    with one_line_errors():
        source = build_part(config.data) if config.get("data") else None
        evaluate(
            config.run,
            source,
            config.split,
            config.limit,
            config.precision,
            config.stages,
            config.get("refinement"),
        )


def evaluate(
    run: str,
    source=None,
    split: Optional[str] = None,
    limit: Optional[int] = None,
    precision: str = "float32",
    stages: Optional[int] = None,
    refinement: Optional[DictConfig] = None,
) -> None:
    """Evaluates a trained run; the results stand in its directory.

    Args:
        run: directory or name of a trained run.
        source: images; None takes the test split of the data that the run was trained on.
        split: of the images; None takes what the source offers for evaluation.
        limit: at most so many images.
        precision: of the transforms.
        stages: of a residual quantizer, how many refinement stages the files get; None: all.
        refinement: node of a choice of that group; None: none. Its results have its name.
    """
    from omegaconf import OmegaConf

    from assembly.refining import Refining
    from assembly.saved_run import load_run
    from evaluation.provenance import provenance
    from evaluation.report import report

    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit} must be at least 1, or null for all images.")
    saved = load_run(run, precision, stages)
    refine = None if refinement is None else Refining(saved, refinement)
    if source is None:
        source = build_part(saved.config.data)
        split = split or "test"
    split = split or source.evaluation_split
    report(
        saved.codec,
        lambda: itertools.islice(source.images(split), limit),
        saved.directory.results,
        dataset=source.name_of(split)
        + (f"-stages{stages}" if stages else "")
        + (f"-{refine.name}" if refine else ""),
        provenance=provenance(
            config=OmegaConf.to_container(saved.config, resolve=True),
            seed=saved.config.seed,
            fingerprint=saved.codec.fingerprint.hex(),
            split=split,
            limit=limit,
            stages=stages,
            refinement=refine and refine.settings,
        ),
        refine=refine,
    )


if __name__ == "__main__":
    with one_line_errors():
        check_choices(sys.argv[1:])
    main()
