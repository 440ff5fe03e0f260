"""The root of the configuration: its scalars and what each may be."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, List, Mapping, Optional

from hydra.core.config_store import ConfigStore
from omegaconf import OmegaConf

from training.precision import PRECISIONS


@dataclasses.dataclass
class Settings:
    """One run. The groups hold a node each; the scalars are checked here.

    Attributes:
        decoder: a quantizer whose decoder slot replaces that of ``quantizer``, or None.
        rate: a quantizer whose rate slot replaces that of ``quantizer``, or None.
        hyper_quantizer: of the side information, where the model has some; None: as ``quantizer``.
        rates: gains of a run for every rate; None: a run of one rate.
        steps: training steps, at least 1.
        batch_size: patches per step, at least 1.
        lmbda: weight of the distortion in ``bpp + lmbda * distortion``, above 0. With ``mse`` it
            means what it means in TensorFlow Compression and CompressAI (MSE on the 0..255 scale).
        lmbda_factor: number or schedule that multiplies ``lmbda`` while training: a warm-up.
        seed: of initial weights, patches and noise, 0 to 2**31 - 1.
        precision: of the transforms while training: auto, float32 or bfloat16.
        strategy: single (one device), mirrored (all of this machine) or multi_worker.
        init_from: a trained run whose weights, where shapes match, a new run starts from; or None.
        run: name under ``runs/`` or a path; None names the run after its choices.
        overwrite: start again from scratch if the run directory exists.
        log_every: steps between lines of the log.
        checkpoint_every: steps between checkpoints.
        test_images: the most held-out files to code at the end.
        classical: names of classical codecs to compare with; None: the usual ones of the medium.
    """

    data: Any
    model: Any
    quantizer: Any
    entropy: Any
    distortion: Any
    optimizer: Any
    decoder: Any = None
    rate: Any = None
    hyper_quantizer: Any = None
    rates: Any = None
    steps: int = 1000
    batch_size: int = 8
    lmbda: float = 0.013
    lmbda_factor: Any = 1.0
    seed: int = 0
    precision: str = "auto"
    strategy: Optional[str] = "single"
    init_from: Optional[str] = None
    run: Optional[str] = None
    overwrite: bool = False
    log_every: int = 100
    checkpoint_every: int = 500
    test_images: int = 24
    classical: Optional[List[str]] = None

    def __post_init__(self):
        """Raises ValueError for the first scalar out of its range."""
        for name in ("steps", "batch_size", "log_every", "checkpoint_every", "test_images"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}={getattr(self, name)} must be at least 1.")
        if not (math.isfinite(self.lmbda) and self.lmbda > 0):
            raise ValueError(f"lmbda={self.lmbda} must be above 0 (published: .0018 to .18).")
        if not 0 <= self.seed < 2**31:
            raise ValueError(f"seed={self.seed} must be 0 to {2**31 - 1}.")
        if self.precision not in PRECISIONS:
            raise ValueError(
                f"precision={self.precision!r} must be one of {', '.join(PRECISIONS)}."
            )
        for name in ("run", "init_from"):
            value = getattr(self, name)
            if value is not None and not value.strip():
                raise ValueError(f"{name}={value!r} must be a name, a path or null.")


def register_settings() -> None:
    """Registers what configurations refer to; called before any is composed."""
    ConfigStore.instance().store(name="settings", node=Settings)
    register_resolvers()


def register_resolvers() -> None:
    """Registers what values of configurations refer to.

    ``${share_of:0.75,${steps}}`` is that share of the steps, because OmegaConf cannot multiply.
    ``${schedule_name:...}`` and ``${quantizers_of:...}`` are parts of a run's name.
    """
    OmegaConf.register_new_resolver("share_of", lambda share, of: int(share * of), replace=True)
    OmegaConf.register_new_resolver("schedule_name", schedule_name, replace=True)
    OmegaConf.register_new_resolver("quantizers_of", quantizers_of, replace=True)


def schedule_name(schedule: Any, steps: int) -> str:
    """Names a number or the node of a schedule: ``constant-3``, ``linear-1-16-by-50%``."""
    if not OmegaConf.is_config(schedule):
        return f"constant-{schedule:g}"
    kind = schedule._target_.rsplit(".", 1)[1].lower()
    share = schedule.end_step / steps
    return f"{kind}-{schedule.start:g}-{schedule.end:g}-by-{share:.0%}"


def quantizers_of(choices: Mapping[str, Optional[str]]) -> str:
    """Names the quantizers that take part: ``mixed``, ``mixed-rate_ramp``, ``rate_a-decoder_b``.

    That of a folder, ``mine/half``, is ``mine_half``: a slash would make the run's name a path.

    Args:
        choices: of the configuration groups, of which ``quantizer@rate`` and ``quantizer@decoder``
            replace the slots of ``quantizer``.
    """
    slots = {slot: choices.get(f"quantizer@{slot}") for slot in ("rate", "decoder")}
    filled = [f"{slot}_{name}" for slot, name in slots.items() if name]
    if len(filled) < len(slots):  # Else the quantizer keeps its other settings at most.
        filled.insert(0, str(choices["quantizer"]))
    return "-".join(filled).replace("/", "_")
