"""Refinement of a saved run's files: built from its configuration, shown while it works."""

from __future__ import annotations

import time
from typing import Any, Dict, Optional

import numpy as np
import tensorflow as tf
from hydra.utils import get_class
from omegaconf import DictConfig, OmegaConf

from assembly.choices import CONFIGS
from assembly.parts import build_part
from assembly.saved_run import SavedRun
from codec import ImageCodec
from codec.refinement import Objective, Refined

PAUSE = 5.0
"""Seconds between two lines of progress."""


class Refining:
    """Refines under the distortion and the lmbda that the run was trained for.

    Attributes:
        name: of the refinement, as ``sga``.
        settings: what results keep of it.
    """

    def __init__(self, saved: SavedRun, node: DictConfig):
        """Builds the refinement.

        Args:
            saved: the run.
            node: of a choice of ``configs/refinement``.

        Raises:
            ValueError: a setting is out of its range, or the run cannot be refined so.
        """
        if not isinstance(saved.codec, ImageCodec):
            raise ValueError("refinement needs a run on images; this one is of sound.")
        if saved.medium != "image":
            raise ValueError(
                f"refinement: run={saved.codec.name!r} codes sound; refinement is of images."
            )
        # Equal seeds give equal files: sums must not depend on which thread is first.
        tf.config.experimental.enable_op_determinism()
        objective = Objective(
            saved.codec.model, build_part(saved.config.distortion), saved.config.lmbda
        )
        self._refinement = build_part(node, objective=objective)
        self.name: str = self._refinement.name
        self.settings = refinement_settings(node)

    def __call__(self, image) -> Refined:
        """As evaluation has it: of a named image."""
        return self.refine(image.pixels, image.name)

    def refine(self, pixels: np.ndarray, name: str) -> Refined:
        """Refines uint8 ``[height, width, 3]``, and prints how it goes on.

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
            print(
                f"{name}: {self.name} step {step}/{steps}  loss {loss:.4f}  ETA {eta:.0f} s",
                flush=True,
            )

        refined = self._refinement(pixels, show)
        print(
            f"{name}: {self.name} loss {refined.loss_before:.4f} -> {refined.loss:.4f} "
            f"({refined.loss / refined.loss_before - 1:+.1%}) in {refined.steps} steps, "
            f"{time.monotonic() - started:.1f} s",
            flush=True,
        )
        return refined


def refinement_settings(node: Optional[DictConfig]) -> Optional[Dict[str, Any]]:
    """What results keep of a choice of ``configs/refinement``, its ``name`` first; None of none."""
    if node is None:
        return None
    name = get_class(node["_target_"]).name
    return {"name": name, **OmegaConf.to_container(node, resolve=True)}


def refinement_node(name: Optional[str], steps: Optional[int]) -> Optional[DictConfig]:
    """The node of a choice, with another number of steps; None for no refinement.

    Raises:
        ValueError: there is no such choice, or there are steps of nothing.
    """
    if name is None:
        if steps is not None:
            raise ValueError(f"--refine-steps {steps} needs --refine.")
        return None
    known = sorted(path.stem for path in (CONFIGS / "refinement").glob("*.yaml"))
    if name not in known:
        raise ValueError(f"--refine {name!r} must be one of {', '.join(known)}.")
    node = OmegaConf.load(CONFIGS / "refinement" / f"{name}.yaml")
    if steps is not None:
        node.steps = steps
    return node
