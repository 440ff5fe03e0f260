"""Encoder-side refinement for a saved run, with progress on the terminal."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional

import numpy as np
import tensorflow as tf
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from assembly.choices import CONFIGS, check_names, choices_of
from assembly.parts import build_part
from assembly.saved_run import SavedRun
from codec.refinement import Objective, Refined

PAUSE = 5.0
"""Seconds between two lines of progress."""


class Refining:
    """Refines images under the distortion and the lmbda that the run was trained for.

    Attributes:
        name: of the refinement, such as ``sga``.
        settings: what results record of it.
    """

    def __init__(self, saved: SavedRun, node: DictConfig):
        """Builds the refinement from a node of ``configs/refinement``.

        Raises:
            ValueError: a setting is out of range, or the run cannot be refined.
        """
        if saved.medium != "image":
            raise ValueError("refinement needs a run on images; this one codes audio.")
        # Equal seeds give equal files only if sums do not depend on the order of threads.
        tf.config.experimental.enable_op_determinism()
        distortion = build_part(saved.config.distortion)
        objective = Objective(saved.codec.model, distortion, saved.config.lmbda)
        self._refinement = build_part(node, objective=objective)
        self.name: str = self._refinement.name
        self.settings = refinement_settings(node)

    def __call__(self, image) -> Refined:
        """Refines a named image, as evaluation needs it."""
        return self.refine(image.pixels, image.name)

    def refine(self, pixels: np.ndarray, name: str) -> Refined:
        """Refines uint8 ``[height, width, 3]`` and prints progress.

        Raises:
            ValueError: the image is too large, or too small for the distortion.
        """
        started = last = time.monotonic()

        def show(step: int, steps: int, loss: float) -> None:
            nonlocal last
            now = time.monotonic()
            if now - last < PAUSE:
                return
            last = now
            eta = (now - started) / step * (steps - step)
            line = f"{name}: {self.name} step {step}/{steps}  loss {loss:.4f}  ETA {eta:.0f} s"
            print(line, flush=True)

        refined = self._refinement(pixels, show)
        print(
            f"{name}: {self.name} loss {refined.loss_before:.4f} -> {refined.loss:.4f} "
            f"({refined.loss / refined.loss_before - 1:+.1%}) in {refined.steps} steps, "
            f"{time.monotonic() - started:.1f} s",
            flush=True,
        )
        return refined


def refinement_settings(node: Optional[DictConfig]) -> Optional[Dict[str, Any]]:
    """What results record of a node of ``configs/refinement``, ``name`` first; None for None."""
    if node is None:
        return None
    name = get_class(node["_target_"]).name
    return {"name": name, **OmegaConf.to_container(node, resolve=True)}


def refinement_node(name: Optional[str], steps: Optional[int]) -> Optional[DictConfig]:
    """The node of a choice, with ``steps`` if given; None for no refinement.

    Raises:
        ValueError: the choice does not exist, or steps are given without one.
    """
    if name is None:
        if steps is not None:
            raise ValueError(f"--refine-steps {steps} needs --refine.")
        return None
    check_names("--refine ", [name], choices_of("refinement"))
    node = OmegaConf.load(CONFIGS / "refinement" / f"{name}.yaml")
    if steps is not None:
        node.steps = steps
    return node
