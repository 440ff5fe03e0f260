"""Draws what each scalar quantizer shows the decoder while training, and its gradient.

python scripts/plot_quantizers.py [--only NAME,NAME] [--output FOLDER]

Writes quantizers.png and .svg (all of them), soft_round.png and .svg (alpha 3, 7, 15) and
quantizers.md (numbers over one cell, also printed). Every YAML of configs/quantizer whose decoder
slot holds a scalar surrogate is drawn, at the first, middle and last value of what it anneals.
Quantizers that show the decoder the same share a panel.
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Dict, List, Sequence, Tuple

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

import hydra
from omegaconf import DictConfig

from assembly import choices
from assembly.parts import build_part
from assembly.user_errors import one_line_errors
from commands.file_names import folder
from evaluation.figures.surrogate_statistics import (
    DEAD_GRADIENT,
    CellStatistics,
    Response,
    at_sharpnesses,
    cell_statistics,
    is_random,
    respond,
)
from evaluation.figures.surrogates import LATENTS, Panel, write_overview, write_pair
from quantizers import ScalarSurrogate
from signals.files import write_atomically
from training.settings import register_settings

SOFT_ROUND_ALPHAS = (3, 7, 15)
"""In the large figure of soft_round."""

CHANNELS = 24
"""To build quantizers with, which may divide them into groups."""

HEAD = "<!-- Written by scripts/plot_quantizers.py -->"
"""First line of quantizers.md; a file without it is not overwritten."""

NOTE = (
    "Over one cell of the grid, y uniform, distances in grid steps. Of random surrogates a million "
    "draws; smallest and largest gradient are those that these met."
)

Rows = List[Tuple[Sequence[str], str, CellStatistics]]


def main() -> None:
    """Draws and writes all figures, prints the table."""
    parser = argparse.ArgumentParser(description="Draw every scalar quantizer.")
    parser.add_argument("--only", metavar="NAME,NAME", help="draw these quantizers only")
    parser.add_argument(
        "--output", type=folder, default=pathlib.Path("build/plots"), metavar="FOLDER"
    )
    arguments = parser.parse_args()
    with one_line_errors():
        names = known = choices.choices_of("quantizer")
        if arguments.only is not None:
            names = sorted({name.strip() for name in arguments.only.split(",")})
            choices.check_names("--only ", names, known)
        plot(names, arguments.output)


def plot(names: Sequence[str], output: pathlib.Path) -> None:
    """Draws the quantizers ``names`` into the folder ``output``.

    Raises:
        ValueError: none of them can be drawn.
    """
    groups = _by_surrogate(names)
    if not groups:
        raise ValueError(f"--only {','.join(names)}: none of these has a curve over one latent.")
    panels, rows = [], []
    for surrogate, sharing in groups:
        responses = []
        for label in at_sharpnesses(surrogate, _compose(sharing[0]).steps):
            responses.append(respond(surrogate, LATENTS, label))
            rows.append((sharing, label, cell_statistics(surrogate)))
        panels.append(Panel(sharing, responses))
    written = [*write_overview(output / "quantizers", panels)]
    if "soft_round" in names:
        written += write_pair(output / "soft_round", _soft_round())
    text = f"{table(rows)}\n\n{NOTE}"
    file = output / "quantizers.md"
    foreign = file.exists() and not file.read_text().startswith(HEAD)
    if not foreign:
        write_atomically(file, f"{HEAD}\n\n{text}\n".encode())
        written.append(file)
    print(f"\n{text}\n")
    print("\n".join(f"wrote {path}" for path in written))
    if foreign:
        print(f"{file} was not written by this script and stays as it is.")


def table(rows: Rows) -> str:
    """Names, sharpness and numbers over one cell as a Markdown table."""
    lines = [
        "| quantizer | sharpness | rms distance to round(y) | to y | gradient: mean | std | min "
        f"| max | dead (below {DEAD_GRADIENT:g}) |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for names, label, numbers in rows:
        gradient = " | ".join(f"{number:.2f}" for number in numbers[2:6])
        lines.append(
            f"| {', '.join(f'`{name}`' for name in names)} | {label} | {numbers.rms_to_round:.3f} "
            f"| {numbers.rms_to_latent:.3f} | {gradient} | {numbers.dead_share:.0%} |"
        )
    return "\n".join(lines)


def _by_surrogate(names: Sequence[str]) -> List[Tuple[ScalarSurrogate, List[str]]]:
    """The distinct decoder surrogates, random ones last, each with the quantizers that use it."""
    groups: List[Tuple[ScalarSurrogate, List[str]]] = []
    skipped: Dict[str, List[str]] = {}
    for name in names:
        config = _compose(name)
        slot = config.quantizer.get("decoder")
        surrogate = None if slot is None else build_part(slot)
        if not isinstance(surrogate, ScalarSurrogate):
            skipped.setdefault(_why_skipped(config), []).append(name)
            continue
        for other, sharing in groups:
            if other.same_as(surrogate):
                sharing.append(name)
                break
        else:
            groups.append((surrogate, [name]))
    for reason, without in skipped.items():
        print(f"skipped {', '.join(without)}: {reason}")
    return sorted(groups, key=lambda group: is_random(group[0]))


def _why_skipped(config: DictConfig) -> str:
    quantizer = build_part(config.quantizer)
    quantizer.build(CHANNELS)
    if quantizer.alphabet.kind == "indices":
        return "finite indices, which groups of channels share, have no curve over one latent"
    return "no decoder slot that holds a scalar surrogate"


def _soft_round() -> List[Response]:
    config = _compose("soft_round")
    responses = []
    for alpha in SOFT_ROUND_ALPHAS:
        config.quantizer.decoder.alpha = alpha
        surrogate = build_part(config.quantizer.decoder)
        responses.append(respond(surrogate, LATENTS, f"alpha = {alpha}"))
    return responses


def _compose(name: str) -> DictConfig:
    """The configuration of ``train.py quantizer=NAME``."""
    register_settings()
    with hydra.initialize_config_dir(str(choices.CONFIGS), version_base="1.3"):
        return hydra.compose("train", overrides=[f"quantizer={name}"])


if __name__ == "__main__":
    main()
