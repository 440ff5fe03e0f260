"""Loss against minutes of training, beside the best of classical codecs on the same files.

python benchmarks/quality.py --photos /bsds500/train /bsds500/test --test /kodak --minutes 2 5 15

Each recipe is trained by train.py for as many steps as take each budget on this machine, by the
speed of a trial run, and evaluated on its coded files. Learning rates fall over a whole run, so
every budget is a run of its own. The loss is ``bpp + lmbda * mse``, the mean over the files; of a
classical codec, that of the best setting of its ladder. Runs and results stay in the output folder
and are not repeated. A stopped benchmark resumes, also within a training; steps taken before the
stop are timed at the present speed. The machine should be doing nothing else. Other folders of
images or another lmbda need another output folder.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Dict, List, NamedTuple, Sequence

from processor.process import set_process
from signals.files import write_atomically

ROOT = pathlib.Path(__file__).resolve().parent.parent

TRIAL_STEPS = 40
"""Steps of the run that a recipe's speed is read from; half of them come before it is steady."""

RECIPES = {
    "lapped": (
        "model=lapped",
        "batch_size=8",
        "data.patch_size=128",
    ),
    # models/bls2017.py of TensorFlow Compression: Adam at a constant 1e-4, patches of 256.
    "bls2017, TFC's recipe": (
        "model=bls2017",
        "model.transforms.num_filters=128",
        "quantizer=uniform_noise",
        "optimizer.learning_rate=1e-4",
        "optimizer.final_learning_rate=1e-4",
        "batch_size=8",
        "data.patch_size=256",
    ),
}


class Point(NamedTuple):
    """One training: its steps, the minutes that they took, and the loss of its files."""

    recipe: str
    steps: int
    minutes: float
    loss: float


def main() -> None:
    """Trains, evaluates, prints the table and writes ``quality.json`` and the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", required=True, help="folders to train on")
    parser.add_argument("--test", required=True, help="folder to evaluate on")
    parser.add_argument("--minutes", nargs="+", type=float, default=[2, 5, 15], help="budgets")
    parser.add_argument("--recipes", nargs="+", choices=RECIPES, default=list(RECIPES))
    parser.add_argument("--lmbda", type=float, default=0.013)
    parser.add_argument("--codecs", default="jpeg,webp,jpeg2000,avif", help="drawn as lines")
    parser.add_argument(
        "--compressai",
        metavar="PYTHON",
        help="a Python with torch and compressai, whose bmshj2018-hyperprior is trained, too",
    )
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("build/quality"))
    arguments = parser.parse_args()
    if min(arguments.minutes) <= 0:
        parser.error(f"--minutes {min(arguments.minutes):g} must be above 0.")
    if arguments.compressai and shutil.which(arguments.compressai) is None:
        parser.error(f"--compressai {arguments.compressai}: there is no such program.")
    for folder in (*arguments.photos, arguments.test):
        if not pathlib.Path(folder).is_dir():
            parser.error(f"{folder} is not an existing folder.")
    kept = settings_kept(arguments)
    if kept != settings_of(arguments):
        told = ", ".join(f"{name} {value}" for name, value in kept.items())
        parser.error(f"--output {arguments.output} holds results of {told}: choose another.")
    lines = classical_losses(arguments)
    points = []
    for recipe in arguments.recipes:
        settings = (*RECIPES[recipe], f"lmbda={arguments.lmbda}", *data(arguments))
        rate = steps_per_minute(settings)
        for minutes in sorted(arguments.minutes):
            points.append(trained(recipe, settings, minutes, rate, arguments))
            report(points, lines, arguments)
    for minutes in sorted(arguments.minutes) if arguments.compressai else ():
        points.append(compressai(minutes, arguments))
        report(points, lines, arguments)


def settings_of(arguments: argparse.Namespace) -> Dict[str, object]:
    """What results in the output folder must have in common."""
    photos = [os.path.realpath(folder) for folder in arguments.photos]
    return {"photos": photos, "test": os.path.realpath(arguments.test), "lmbda": arguments.lmbda}


def settings_kept(arguments: argparse.Namespace) -> Dict[str, object]:
    """Those that the output folder was begun with; these ones for a new folder."""
    path = arguments.output / "settings.json"
    if path.exists():
        return json.loads(path.read_text())
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(settings_of(arguments)).encode())
    return settings_of(arguments)


def data(arguments: argparse.Namespace) -> List[str]:
    """The overrides that say what is trained and evaluated on."""
    root = ",".join(arguments.photos)
    return ["data=image_folder", f"data.root=[{root}]", f"data.test_root={arguments.test}"]


def command(script: str, *arguments: str) -> str:
    """What a command of the project prints; a failure ends the benchmark."""
    done = subprocess.run(
        [sys.executable, str(ROOT / script), *arguments], stdout=subprocess.PIPE, text=True
    )
    if done.returncode:
        sys.exit(f"error: {script} {' '.join(arguments)} ended with status {done.returncode}")
    return done.stdout


def steps_per_minute(settings: Sequence[str]) -> float:
    """Speed of train.py, logging and input included, without its start."""
    every = TRIAL_STEPS // 4
    with tempfile.TemporaryDirectory() as folder:
        run = pathlib.Path(folder) / "trial"
        options = (f"steps={TRIAL_STEPS}", f"log_every={every}", f"checkpoint_every={TRIAL_STEPS}")
        command("train.py", *settings, *options, f"run={run}", "test_images=1", "classical=[]")
        with (run / "training.csv").open(newline="") as file:
            rows = [float(row["images_per_second"]) for row in csv.DictReader(file)]
    (batch,) = (int(text.split("=")[1]) for text in settings if text.startswith("batch_size="))
    return 60 * statistics.median(rows[len(rows) // 2 :]) / batch


def trained(
    recipe: str,
    settings: Sequence[str],
    budget: float,
    rate: float,
    arguments: argparse.Namespace,
) -> Point:
    """Trains for a budget of minutes and evaluates, unless that has been done."""
    slug = recipe.split(",")[0].replace(" ", "_")
    # Named by the budget: trials never give the same number of steps twice.
    kept = arguments.output / f"{slug}-{budget:g}-minutes.json"
    if kept.exists():
        return Point(**json.loads(kept.read_text()))
    begun = kept.with_name(f"{slug}-{budget:g}-minutes-begun.json")
    if not begun.exists():
        write_atomically(begun, json.dumps({"steps": max(1, round(rate * budget))}).encode())
    steps = json.loads(begun.read_text())["steps"]
    run = arguments.output / f"{slug}-{steps}"
    resumed = max((int(path.name[5:]) for path in run.glob("checkpoints/step-*")), default=0)
    started = time.perf_counter()
    command("train.py", *settings, f"steps={steps}", f"run={run.resolve()}", "test_images=1",
            "classical=[]", f"checkpoint_every={max(1, steps // 4)}")  # fmt: skip
    minutes = resumed / rate + (time.perf_counter() - started) / 60
    command("evaluate.py", f"run={run.resolve()}", "data=image_folder",
            f"data.root={arguments.test}", "split=all", "classical=[]")  # fmt: skip
    results = max(run.glob("results/*.json"), key=lambda path: files_of(path))
    loss = json.loads(results.read_text())["provenance"]["objective"]["loss"]
    point = Point(recipe, steps, minutes, loss)
    write_atomically(kept, json.dumps(point._asdict()).encode())
    return point


def compressai(minutes: float, arguments: argparse.Namespace) -> Point:
    """Trains and evaluates CompressAI's model for a budget, unless that has been done."""
    kept = arguments.output / f"compressai-{minutes:g}.json"
    if not kept.exists():
        done = subprocess.run(
            [arguments.compressai, str(ROOT / "benchmarks" / "compressai_reference.py"),
             "--photos", *arguments.photos, "--test", arguments.test, "--minutes", f"{minutes:g}",
             "--lmbda", f"{arguments.lmbda:g}"],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        if done.returncode:
            sys.exit(f"error: CompressAI ended with status {done.returncode}")
        kept.write_text(done.stdout.splitlines()[-1] + "\n")
    return Point("CompressAI's bmshj2018-hyperprior", **json.loads(kept.read_text()))


def files_of(results: pathlib.Path) -> int:
    """Number of files that were measured."""
    return json.loads(results.read_text())["dataset"]["files"]


def classical_losses(arguments: argparse.Namespace) -> Dict[str, float]:
    """Codec -> the loss of its best setting for this lmbda."""
    folder = arguments.output / "classical"
    command("scripts/classical.py", arguments.test, "--codecs", arguments.codecs,
            "--output", str(folder))  # fmt: skip
    losses = {}
    for path in (folder / f"{name.strip()}.json" for name in arguments.codecs.split(",")):
        by_setting: Dict[str, List[float]] = {}
        with path.with_suffix(".csv").open(newline="") as file:
            for row in csv.DictReader(file):
                mse = 255**2 / 10 ** (float(row["psnr"]) / 10)
                loss = float(row["bpp"]) + arguments.lmbda * mse
                by_setting.setdefault(row["quality"], []).append(loss)
        name = json.loads(path.read_text())["name"]
        losses[name] = min(map(statistics.fmean, by_setting.values()))
    return losses


def report(points: Sequence[Point], lines: Dict[str, float], arguments) -> None:
    """Prints the table so far; writes the figures and numbers."""
    from evaluation.provenance import provenance

    print(f"\n{'':34}{'minutes':>9}{'steps':>8}{'loss':>9}")
    for point in points:
        print(f"{point.recipe:34}{point.minutes:9.1f}{point.steps:8}{point.loss:9.4f}")
    for name, loss in sorted(lines.items(), key=lambda item: -item[1]):
        print(f"{name + ', best setting':51}{loss:9.4f}")
    sys.stdout.flush()
    document = {
        "lmbda": arguments.lmbda,
        "test": pathlib.Path(arguments.test).name,
        "points": [point._asdict() for point in points],
        "classical": lines,
        "provenance": provenance(),
    }
    (arguments.output / "quality.json").write_text(json.dumps(document, indent=2) + "\n")
    draw(arguments.output / "quality.png", points, lines, arguments.lmbda)


def draw(
    path: pathlib.Path, points: Sequence[Point], lines: Dict[str, float], lmbda: float
) -> None:
    """Loss over minutes on a logarithmic axis; classical codecs as lines.

    A recipe that stays far above them would squeeze the rest: it has a legend alone, with its best.
    """
    from evaluation.figures.style import curve_style, draw_grid, new_figure, write_figure

    def figure():
        made, add_axes = new_figure(5.4, 3.6)
        axes = add_axes(0.7, 0.2, 3.4, 2.8)
        draw_grid(axes)
        axes.set_xscale("log")
        top = 1.1 * max([*lines.values(), min(point.loss for point in points)])
        for number, recipe in enumerate(dict.fromkeys(point.recipe for point in points)):
            own = [point for point in points if point.recipe == recipe]
            lowest = min(point.loss for point in own)
            label = recipe if lowest < top else f"{recipe}: above, {lowest:.1f} at best"
            axes.plot([p.minutes for p in own], [p.loss for p in own],
                      label=label, **curve_style(number))  # fmt: skip
        axes.set_ylim(0.95 * min([*lines.values(), *(point.loss for point in points)]), top)
        ticks = {f"{point.minutes:.1f}": point.minutes for point in points if point.loss < top}
        axes.set_xticks([*ticks.values()], [*ticks])
        axes.minorticks_off()
        for name, loss in lines.items():
            axes.axhline(loss, color="0.5", lw=0.8, ls="--")
            axes.text(1.02, loss, name, va="center", color="0.35",
                      transform=axes.get_yaxis_transform())  # fmt: skip
        axes.set_xlabel("minutes of training")
        axes.set_ylabel(f"bpp + {lmbda:g} MSE")
        axes.legend(frameon=False)
        return made

    write_figure(path, figure, font_size=8)


if __name__ == "__main__":
    set_process()
    main()
