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
        evaluate(config.run, source, config.split, config.limit, config.precision, config.stages)


def evaluate(
    run: str,
    source=None,
    split: Optional[str] = None,
    limit: Optional[int] = None,
    precision: str = "float32",
    stages: Optional[int] = None,
) -> None:
    """Evaluates a trained run; the results stand in its directory.

    Args:
        run: directory or name of a trained run.
        source: images or sound; None takes the test split of the data that the run was trained on.
        split: of the source; None takes what the source offers for evaluation.
        limit: at most so many files.
        precision: of the transforms.
        stages: of a residual quantizer, how many refinement stages the files get; None: all.
    """
    from omegaconf import OmegaConf

    from assembly.media import NAMES, report_of, whole_files
    from assembly.saved_run import load_run
    from evaluation.provenance import provenance

    if limit is not None and limit < 1:
        raise ValueError(f"limit={limit} must be at least 1, or null for all images.")
    saved = load_run(run, precision, stages)
    if source is None:
        source = build_part(saved.config.data)
        split = split or "test"
    if source.medium != saved.medium:
        raise ValueError(
            f"data={type(source).__name__} is of {NAMES[source.medium]}, but run={run!r} codes "
            f"{NAMES[saved.medium]}."
        )
    split = split or source.evaluation_split
    report_of(saved.medium)(
        saved.codec,
        lambda: itertools.islice(whole_files(source, split), limit),
        saved.directory.results,
        dataset=source.name_of(split) + (f"-stages{stages}" if stages else ""),
        provenance=provenance(
            config=OmegaConf.to_container(saved.config, resolve=True),
            seed=saved.config.seed,
            fingerprint=saved.codec.fingerprint.hex(),
            split=split,
            limit=limit,
            stages=stages,
        ),
    )


if __name__ == "__main__":
    with one_line_errors():
        check_choices(sys.argv[1:])
    main()
