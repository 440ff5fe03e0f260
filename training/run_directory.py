"""A run's directory: all output of one run, and a lock on it.

```
config.yaml      the whole configuration, enough to build the model again
files.txt        what it is trained and validated on: the number of files of a folder and a digest,
                 or the number of records of a TFDS dataset and its version
training.csv     the log's figures
validation.csv   the loss on whole validation files, one row per checkpoint
checkpoints/     a folder for each of the newest two, with checksums and the configuration, and for
                 the weights with the lowest validation loss
events.*         TensorBoard's files; in tensorboard/ if an older version began the run
model/           trained weights and coding tables, with checksums: a run that has it is trained
best/            the same for the weights with the lowest validation loss
results/         one JSON and one CSV per dataset, the figure, the coded files
```
"""

from __future__ import annotations

import contextlib
import fcntl
import pathlib
import re
import shutil
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

from omegaconf import DictConfig, OmegaConf

from signals.files import write_atomically
from training import run_names
from training.older_configurations import up_to_date
from training.saved_configuration import configuration_bytes, read_configuration
from training.saved_values import check_references
from training.settings import register_resolvers

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

PARTS = (
    "checkpoints", "tensorboard", "model", "best", "results", "files.txt", "training.csv",
    "validation.csv",
)  # fmt: skip
"""What there is in a run directory beside the configuration and the lock."""


class RunDirectory:
    """One run's directory, by its parts."""

    def __init__(self, path: pathlib.Path):
        """Takes the directory's path; nothing is created."""
        self.path = path
        self.config_file = path / "config.yaml"
        self.files = path / "files.txt"
        self.checkpoints = path / "checkpoints"
        self.best = path / "best"
        self.model = path / "model"
        # What is measured of a pretrained model stays out of the project's own files.
        own = pathlib.Path("build") / "pretrained" / path.name if self.pretrained else path
        self.results = own / "results"

    @property
    def pretrained(self) -> bool:
        """Whether this is a model that comes with the project."""
        return self.path.resolve().parent == run_names.PRETRAINED.resolve()

    @property
    def trained(self) -> bool:
        """Whether training has ended and the model is saved."""
        return self.model.is_dir()

    @property
    def started(self) -> bool:
        """Whether there is a checkpoint to resume from, or the model."""
        return self.trained or any(self.checkpoints.glob("[a-z]*-*"))  # step-N, or older ckpt-N.*

    def open(
        self,
        config: DictConfig,
        overwrite: bool,
        check_prolonged: Optional[Callable[[DictConfig, int], None]] = None,
        files: Optional[str] = None,
    ) -> None:
        """Creates the directory, or opens it again for the same configuration.

        The process holds a lock on it until it ends, however it ends.

        Args:
            config: of the run.
            overwrite: whether to start again from scratch.
            check_prolonged: raises ValueError if the run cannot be trained for the larger number
                of ``steps`` that alone differs; called with the configuration so far and the
                steps taken. None: no run can.
            files: one line that tells what is trained on from other files or records; recorded
                when the run starts. None: not checked.

        Raises:
            ValueError: another process works there, it holds another run, a pretrained model, or
                no run at all; the steps so far were taken on other files.
        """
        if self.pretrained:
            raise ValueError(
                f"run={str(self.path)!r} is a pretrained model, which stays as it is: choose "
                "another run=; "
                f"init_from={run_names.PRETRAINED_PREFIX}{self.path.name} starts from it."
            )
        if self.path.exists() and not self._is_run():
            raise ValueError(f"run={str(self.path)!r} exists and is not a run directory.")
        self._is_new = not self.path.exists()
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = (self.path / LOCK).open("w")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ValueError(f"run={str(self.path)!r}: another process works there.") from None
        if overwrite:
            self._empty()
        saved, damage = self._saved_configuration()
        if saved is None and (self.config_file.exists() or self._has_weights()):
            damage += ", and there is no copy: the configuration of this command is used."
            print(f"warning: {damage}", file=sys.stderr, flush=True)
        if saved is not None:
            older = _up_to_date(saved)
            changed = _differences(older, config)
            is_longer = check_prolonged is not None and _is_longer(older, config)
            if changed and not is_longer:
                raise ValueError(
                    f"run={str(self.path)!r} holds another run ({'; '.join(changed)}): "
                    "choose another run=, or overwrite=true to start anew."
                )
            if files is not None:
                self._check_files(files, config.steps)
            if is_longer:
                check_prolonged(older, self._steps_taken())
                self._reopen(older.steps)
                saved, damage = config, ""
        if damage is not None:
            write_atomically(self.config_file, configuration_bytes(saved or config))
        # After the configuration, which makes the folder a run: a kill may come between them.
        if files is not None and not (self._steps_taken() and self.files.exists()):
            write_atomically(self.files, f"{files}\n".encode())

    @contextlib.contextmanager
    def removed_on_error(self, unless: Callable[[], bool]) -> Iterator[None]:
        """Removes the directory after an error if `open` made it and ``unless`` is false then."""
        try:
            yield
        except BaseException:
            if self._is_new and not unless():
                shutil.rmtree(self.path)
            raise

    def _check_files(self, files: str, steps: int) -> None:
        """Raises ValueError if an unfinished run was started with other files."""
        if not 0 < self._steps_taken() < steps or not self.files.exists():
            return
        was = self.files.read_bytes().decode(errors="replace").strip()
        if was != files:
            raise ValueError(
                f"data: run={str(self.path)!r} was started with other files ({was}; now {files}): "
                "put them back, choose another run=, or overwrite=true to start anew."
            )

    def _steps_taken(self) -> int:
        names = [path.name for path in self.checkpoints.glob("[a-z]*-*")]
        return max((int(re.search(r"-(\d+)", name)[1]) for name in names), default=0)

    def _reopen(self, steps: int) -> None:
        """Makes a trained run one that can be trained further; results stay beside its own."""
        for folder in (self.model, self.best):
            if folder.exists():
                shutil.rmtree(folder)
        if self.results.exists():
            kept = self.path / f"results-after-{steps}-steps"
            if kept.exists():  # Of the same steps: a kill came before the new configuration.
                shutil.rmtree(kept)
            self.results.rename(kept)

    def load_config(self) -> DictConfig:
        """The configuration that the run was started with, with moved classes by their new names.

        Raises:
            FileNotFoundError: this is no run directory.
            ValueError: the configuration is damaged, and so are its copies, or a value refers to
                more than the run's own settings.
        """
        saved, damage = self._saved_configuration()
        if saved is not None:
            try:
                return _up_to_date(saved)
            except ValueError as error:
                raise ValueError(f"run={str(self.path)!r}: {error}") from None
        if self.config_file.exists():
            raise ValueError(f"{damage}, and there is no copy of it in the run directory.")
        raise FileNotFoundError(f"run={str(self.path)!r} is not a run directory (no config.yaml).")

    def differences(self, config: DictConfig) -> List[str]:
        """The settings in which ``config`` differs from the run in this directory."""
        return _differences(self.load_config(), config)

    def _saved_configuration(self) -> Tuple[Optional[DictConfig], Optional[str]]:
        """The configuration, or with a warning a copy of it, if there is one; and the damage."""
        damage = None
        for path in (self.config_file, self.model / "config.yaml", *self._copies()):
            try:
                config = read_configuration(path)
            except (FileNotFoundError, ValueError) as error:
                damage = damage or str(error).rstrip(".")
                continue
            if damage is not None:
                warning = f"warning: {damage}; {path} is a copy and is used instead."
                print(warning, file=sys.stderr, flush=True)
            return config, damage
        return None, damage

    def _copies(self) -> List[pathlib.Path]:
        return sorted(self.checkpoints.glob("*/config.yaml"))

    def _has_weights(self) -> bool:
        return self.model.exists() or self.checkpoints.exists()

    def _is_run(self) -> bool:
        """Whether the directory is a run's, if only that of one that was killed at its start."""
        names = {path.name for path in self.path.iterdir()}
        if "config.yaml" in names or (self.model / "config.yaml").exists() or self._copies():
            return True
        names = {name for name in names if not name.startswith((".config.yaml", "events."))}
        return names <= {LOCK} or (LOCK in names and names <= {LOCK, *PARTS})

    def _empty(self) -> None:
        # The configuration goes last: a kill in the middle leaves what is still a run directory.
        for path in sorted(self.path.iterdir(), key=lambda path: path == self.config_file):
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name != LOCK:
                path.unlink()


def _up_to_date(saved: DictConfig) -> DictConfig:
    register_resolvers()
    plain = OmegaConf.to_container(saved)
    check_references(plain)
    return OmegaConf.create(up_to_date(plain))


def _is_longer(saved: DictConfig, asked: DictConfig) -> bool:
    """Whether the two differ in a larger number of steps, and what refers to it, alone."""
    if not saved.get("steps", 0) < asked.get("steps", 0):
        return False
    return not _differences(OmegaConf.merge(saved, {"steps": asked.steps}), asked)


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
