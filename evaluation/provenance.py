"""What made a result: source, packages, machine, date; nothing about whose machine it was."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import pathlib
import platform
import subprocess
from typing import Any, Dict, Optional

_PACKAGES = (
    "tensorflow", "tf-keras", "tensorflow-compression", "tensorflow-compression-ops",
    "tensorflow-datasets", "numpy",
)  # fmt: skip
_PROJECT = pathlib.Path(__file__).resolve().parent.parent


def provenance(**extra: Any) -> Dict[str, Any]:
    """Collects what a reader needs to repeat a result.

    Args:
        **extra: what the caller knows, such as config and seed. Absolute paths are cut to the last
            component; values that JSON cannot hold become text.

    Returns:
        A dict that JSON can hold: ``git`` (``commit`` and ``dirty``, or null outside a checkout),
        ``packages``, ``machine``, ``date`` (UTC), and the keys of ``extra``.
    """
    return {
        "git": _git_state(_PROJECT),
        "packages": {
            "python": platform.python_version(),
            **{name: version for name in _PACKAGES if (version := _version(name))},
        },
        "machine": {"cpu": _cpu_model(), "cores": os.cpu_count()},
        "date": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        **{key: _portable(value) for key, value in extra.items()},
    }


def _git_state(project: pathlib.Path) -> Optional[Dict[str, Any]]:
    def git(*arguments):
        command = ["git", "-C", str(project), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # An installed copy may be inside another repository.
        if pathlib.Path(git("rev-parse", "--show-toplevel")).resolve() != project.resolve():
            return None
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(git("status", "--porcelain"))}
    except (OSError, subprocess.CalledProcessError):
        return None


def _version(package):
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _cpu_model():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _portable(value):
    if isinstance(value, dict):
        return {str(key): _portable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_portable(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    text = str(value)
    for path in (pathlib.PurePosixPath(text), pathlib.PureWindowsPath(text)):
        if path.is_absolute():
            return path.name
    return text
