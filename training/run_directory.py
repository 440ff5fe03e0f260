"""A run's directory: all output of one run, and a lock on it.

```
config.yaml      the whole configuration, enough to build the model again
training.csv     the log's figures
validation.csv   the loss on whole validation files, a row a checkpoint
checkpoints/     while it trains
tensorboard/
model/           trained weights and coding tables: the run is trained when this exists
results/         one JSON and one CSV a dataset, the figure, the coded files
```
"""

from __future__ import annotations

import fcntl
import glob
import hashlib
import os
import pathlib
import shutil
from typing import Any, Dict, List, Mapping, Sequence, Union

from omegaconf import DictConfig, OmegaConf

from training.older_configurations import up_to_date
from training.saved_values import check_references
from training.settings import register_settings

NOT_PART_OF_A_RUN = (
    "run",
    "overwrite",
    "log_every",
    "checkpoint_every",
    "test_images",
    "classical",
)
"""Settings that may change from one command to the next for the same run."""

LOCK = ".lock"


class RunDirectory:
    """One run's directory, by its parts."""

    def __init__(self, path: pathlib.Path):
        """Takes the directory's path; nothing is created."""
        self.path = path
        self.config_file = path / "config.yaml"
        self.checkpoints = path / "checkpoints"
        self.tensorboard = path / "tensorboard"
        self.model = path / "model"
        self.results = path / "results"

    @property
    def trained(self) -> bool:
        """Whether training has ended and the model is saved."""
        return self.model.is_dir()

    def open(self, config: DictConfig, overwrite: bool) -> None:
        """Creates the directory, or opens it again for the same configuration.

        The process holds a lock on it until it ends, however it ends.

        Raises:
            ValueError: another process works there, it holds another run, or no run at all.
        """
        if self.path.exists() and not self.config_file.exists() and not self._is_bare():
            raise ValueError(f"run={str(self.path)!r} exists and is not a run directory.")
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"run={str(self.path)!r}: another process works there.") from None
        if overwrite:
            self._empty()
        if self.config_file.exists():
            changed = self.differences(config)
            if changed:
                raise ValueError(
                    f"run={str(self.path)!r} holds another run ({'; '.join(changed)}): "
                    "choose another run=, or overwrite=true to start anew."
                )
            return
        temporary = self.path / ".config.yaml"
        OmegaConf.save(config, temporary)
        os.replace(temporary, self.config_file)

    def load_config(self) -> DictConfig:
        """The configuration that the run was started with, with moved classes by their new names.

        Raises:
            FileNotFoundError: this is no run directory.
            ValueError: a value refers to more than the run's own settings.
        """
        if not self.config_file.is_file():
            raise FileNotFoundError(
                f"run={str(self.path)!r} is not a run directory (no config.yaml)."
            )
        register_settings()
        saved = OmegaConf.to_container(OmegaConf.load(self.config_file))
        try:
            check_references(saved)
        except ValueError as error:
            raise ValueError(f"run={str(self.path)!r}: {error}") from None
        return OmegaConf.create(up_to_date(saved))

    def differences(self, config: DictConfig) -> List[str]:
        """The settings in which ``config`` differs from the run in this directory."""
        return _differences(self.load_config(), config)

    def _is_bare(self) -> bool:
        """Whether there is only what a run leaves that was killed right after its start."""
        return {path.name for path in self.path.iterdir()} <= {LOCK, ".config.yaml"}

    def _empty(self) -> None:
        # The configuration goes last: a kill in the middle leaves what is still a run directory.
        for path in sorted(self.path.iterdir(), key=lambda path: path == self.config_file):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()


def run_path(run: str) -> pathlib.Path:
    """A bare name is a folder in ``runs/``; anything with a separator is a path."""
    path = pathlib.Path(run).expanduser()
    return path if len(path.parts) > 1 else pathlib.Path("runs") / path


def find_runs(patterns: Union[str, Sequence[str]]) -> List[pathlib.Path]:
    """The directories that names, paths and shell-style patterns match, in order, each once.

    A bare name or pattern is relative to ``runs/``. Files that match a pattern are ignored.

    Raises:
        ValueError: a pattern matches no directory.
    """
    found: Dict[pathlib.Path, None] = {}
    for text in [patterns] if isinstance(patterns, str) else patterns:
        pattern = run_path(text)
        # A path may contain brackets, so it is tried before it is read as a pattern.
        paths = [str(pattern)] if pattern.exists() else sorted(glob.glob(str(pattern)))
        folders = [pathlib.Path(path) for path in paths if pathlib.Path(path).is_dir()]
        if not folders:
            raise ValueError(f"runs={text!r} names no run directory.")
        found.update(dict.fromkeys(folders))
    return list(found)


def default_name(
    choices: Mapping[str, str], scalars: Mapping[str, Any], other_overrides: Sequence[str]
) -> str:
    """A run's name after its choices; overrides that the name does not show add a short hash."""
    parts: List[str] = [choices[group] for group in ("model", "quantizer", "data")]
    parts += [f"{name}{value:g}" for name, value in scalars.items()]
    if other_overrides:
        parts.append(hashlib.sha256("\n".join(sorted(other_overrides)).encode()).hexdigest()[:6])
    return "-".join(parts)


def _differences(saved: DictConfig, asked: DictConfig) -> List[str]:
    old, new = _flat(saved), _flat(asked)
    return [
        f"{name}: {old.get(name, 'absent')} there, {new.get(name, 'absent')} asked"
        for name in sorted({*old, *new})
        if old.get(name, None) != new.get(name, None)
    ]


def _flat(config: DictConfig) -> Dict[str, Any]:
    nodes = {"": OmegaConf.to_container(config, resolve=True)}
    flat: Dict[str, Any] = {}
    while nodes:
        name, node = nodes.popitem()
        if isinstance(node, dict):
            nodes.update(
                {f"{name}.{key}" if name else str(key): value for key, value in node.items()}
            )
        elif name not in NOT_PART_OF_A_RUN:
            flat[name] = node
    return flat
