"""Makes a folder of ``pretrained/`` from a trained run: what coding needs, and a card.

    python scripts/make_pretrained.py make runs/NAME image-1 notes.yaml photo.png
    python evaluate.py pretrained=image-1 data=image_folder data.root=/kodak quality=[0,50,100]
    python scripts/make_pretrained.py results image-1

``make`` writes the configuration, the weights in 16 bits with the coding tables that belong to
them, golden files and ``README.md``, the card. Optimizer, checkpoints and logs stay behind.
``results`` adds what evaluate.py has measured of that model since. A folder that exists is refused:
files name their model by its fingerprint, so a better model gets the next number, and
``pretrained:image`` is the newest one.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil
from typing import Any, Dict, List

from processor.process import set_process

set_process()  # Before TensorFlow is imported.

import yaml
from omegaconf import DictConfig, OmegaConf

from assembly.user_errors import one_line_errors
from signals.files import write_atomically
from training import run_names
from training.run_directory import RunDirectory

NOTES = {
    "title": str,  # one sentence: what it codes, and how well
    "license": str,  # of the weights
    "command": str,  # that trained it
    "hours": (int, float),  # of training
    "machine": str,
    "data": list,  # of mappings with name, license, and how to get it
}
"""What ``notes.yaml`` must say, because no run records it."""

DATA_NOTES = ("name", "license", "how")

EXAMPLE_SIDE, EXAMPLE_SECONDS = 128, 1
"""Golden files are coded from the middle of the example: pixels along each side, seconds."""


def main() -> None:
    """Writes the folder and prints its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    make = commands.add_parser("make", help="make a folder from a run")
    make.add_argument("run", help="run directory, or its name under runs/")
    make.add_argument("name", help="of the pretrained model, with a number: image-1")
    make.add_argument("notes", help=f"YAML file with {', '.join(NOTES)}")
    make.add_argument("example", help="image or recording to make golden files from")
    results = commands.add_parser("results", help="add what evaluate.py has measured since")
    results.add_argument("name", help="of the pretrained model")
    arguments = vars(parser.parse_args())
    with one_line_errors():
        command = {"make": make_pretrained, "results": add_results}[arguments.pop("command")]
        folder = command(**arguments)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        print(f"{folder}: {size / 1e6:.2f} MB")


def make_pretrained(run: str, name: str, notes: str, example: str) -> pathlib.Path:
    """Makes the folder, whole or not at all, and returns it.

    Raises:
        ValueError: the name is taken, the notes lack something, the run is not trained to its end,
            or it does not decode its own files.
    """
    from assembly.golden import FOLDER, write_golden
    from assembly.pretrained import CARD
    from assembly.saved_run import load_run
    from training.compact_weights import round_to_half, save_compact
    from training.saved_configuration import configuration_bytes

    folder = run_names.PRETRAINED / name
    if not name.rpartition("-")[2].isdigit() or "/" in name:
        raise ValueError(f"name={name!r} must end in a number, as image-1.")
    if folder.exists():
        raise ValueError(f"name={name!r} is taken: files that it coded need it as it is.")
    told = read_notes(pathlib.Path(notes))
    saved = load_run(run)
    folder.parent.mkdir(exist_ok=True)
    temporary = folder.with_name(f".{name}.{os.getpid()}")
    try:
        temporary.mkdir()
        config = configuration_bytes(without_folders(saved.directory.load_config()))
        write_atomically(temporary / saved.directory.config_file.name, config)
        round_to_half(saved.codec.model)
        save_compact(saved.codec.model, temporary / "model", config)
        saved = load_run(str(temporary))
        golden = write_golden(saved, middle(example, saved.medium), temporary / FOLDER)
        card = {
            "title": told.pop("title"),
            "medium": saved.medium,
            "fingerprint": saved.codec.fingerprint.hex(),
            "license": told.pop("license"),
            **told,
            "steps": int(saved.config.steps),
            "seed": int(saved.config.seed),
            "golden": golden,
        }
        (temporary / CARD).write_text(card_text(name, card, []))
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return folder


def without_folders(config: DictConfig) -> DictConfig:
    """The configuration with the last component of each absolute path, whose rest is private."""

    def shortened(node: Any) -> Any:
        if isinstance(node, dict):
            return {key: shortened(value) for key, value in node.items()}
        if isinstance(node, list):
            return [shortened(value) for value in node]
        return pathlib.Path(node).name if isinstance(node, str) and node[:1] == "/" else node

    return OmegaConf.create(shortened(OmegaConf.to_container(config)))


def add_results(name: str) -> pathlib.Path:
    """Copies the results of a pretrained model into its folder, and returns that.

    Raises:
        ValueError: there are none, or they are of other weights.
    """
    from assembly.pretrained import CARD, read_card
    from evaluation.results import read_results

    directory = RunDirectory(run_names.PRETRAINED / name)
    card = read_card(name)
    found = sorted(directory.results.glob("*.json"))
    if not found:
        raise ValueError(f"there are no results in {directory.results}: evaluate.py writes them.")
    for path in found:
        measured = read_results(path)
        if measured.provenance.get("fingerprint") != card["fingerprint"]:
            raise ValueError(f"{path} is of other weights than {name}.")
        for copied in (path, path.with_suffix(".csv")):
            write_atomically(directory.path / "results" / copied.name, copied.read_bytes())
    kept = sorted(path.stem for path in (directory.path / "results").glob("*.json"))
    write_atomically(directory.path / CARD, card_text(name, card, kept).encode())
    return directory.path


def read_notes(path: pathlib.Path) -> Dict[str, Any]:
    """What the author says of a model.

    Raises:
        ValueError: something is missing or of another kind.
    """
    try:
        notes = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"{path} is no YAML: {error}") from None
    given = notes if isinstance(notes, dict) else {}
    for key, kind in NOTES.items():
        if not isinstance(given.get(key), kind):
            raise ValueError(f"{path}: {key}={given.get(key)!r} must be given; see {__file__}.")
    for number, data in enumerate(given["data"]):
        missing = [key for key in DATA_NOTES if not isinstance(data, dict) or not data.get(key)]
        if missing:
            raise ValueError(f"{path}: data[{number}] must have {', '.join(missing)}.")
    return given


def middle(example: str, medium: str) -> tuple:
    """The middle of an image or a recording, odd in size so that golden files are padded."""
    from evaluation.media import MEDIA

    samples, *rest = MEDIA[medium].read(example)
    if medium == "image":
        sides = [EXAMPLE_SIDE - 3, EXAMPLE_SIDE + 5]
    else:
        sides = [EXAMPLE_SECONDS * rest[0] + 1]
    for axis, side in enumerate(sides):
        start = max(0, (samples.shape[axis] - side) // 2)
        samples = samples.take(range(start, min(start + side, samples.shape[axis])), axis)
    return (samples, *rest)


def card_text(name: str, card: Dict[str, Any], results: List[str]) -> str:
    """The card: YAML for programs, then the same for readers."""
    file = "photo.png" if card["medium"] == "image" else "speech.wav"
    data = "".join(f"| {d['name']} | {d['license']} | {d['how']} |\n" for d in card["data"])
    measured = "".join(f"- [{stem}](results/{stem}.json)\n" for stem in results)
    return f"""---
{yaml.safe_dump(card, sort_keys=False, allow_unicode=True)}---

# {name}

{card["title"]}

```
rtc compress --run pretrained:{name} {file} out.rtc
python evaluate.py pretrained={name} data={card["medium"]}_folder data.root=/folder
python train.py init_from=pretrained:{name} ...
```

## Trained on

| data | licence | how to get it |
|---|---|---|
{data}
{card["steps"]} steps, seed {card["seed"]}, {card["hours"]:g} hours on {card["machine"]}:

```
{card["command"].strip()}
```

## Results

{measured or "None yet."}"""


if __name__ == "__main__":
    main()
