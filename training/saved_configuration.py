"""``config.yaml``: a run's whole configuration, behind a checksum that shows damage to it."""

from __future__ import annotations

import hashlib
import pathlib
import re

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

_SUM = "# sha256 of what follows (delete this line to edit it): "

_ALWAYS = {"data", "model", "quantizer", "optimizer", "steps", "seed", "test_images"}
"""Keys that the configuration of every older run has, from its beginning to its end."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Of the C library, if PyYAML was built with it: ten times as fast."""


def configuration_bytes(config: DictConfig) -> bytes:
    """What ``config.yaml`` holds: a comment with the checksum, then the configuration as YAML."""
    text = OmegaConf.to_yaml(config).encode()
    return f"{_SUM}{hashlib.sha256(text).hexdigest()}\n".encode() + text


def read_configuration(path: pathlib.Path) -> DictConfig:
    """Reads a configuration; one of an older run has no checksum.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is damaged.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing.")
    first, _, rest = path.read_bytes().partition(b"\n")
    match = re.fullmatch(re.escape(_SUM.encode()) + rb"(\w+)", first)
    if match and hashlib.sha256(rest).hexdigest().encode() != match[1]:
        raise ValueError(f"{path} does not match its checksum.")
    try:
        text = (first + b"\n" + rest).decode()
        # Aliases of aliases grow without bound when OmegaConf copies what they stand for. It
        # writes none.
        if "&" in text and any(isinstance(t, yaml.AliasToken) for t in yaml.scan(text, LOADER)):
            raise ValueError("aliases (*name) are not supported.")
        config = OmegaConf.create(text)
    # RecursionError: lists in lists, deeper than Python follows. ValueError: no UTF-8, or a number
    # of thousands of digits.
    except (ValueError, RecursionError, yaml.YAMLError, OmegaConfBaseException) as error:
        raise ValueError(f"{path} is no YAML of a run: {' '.join(str(error).split())}") from error
    if not isinstance(config, DictConfig) or not config:
        raise ValueError(f"{path} is {'no mapping of settings' if text.strip() else 'empty'}.")
    lacking = () if match else sorted(_ALWAYS - set(config))
    if lacking:
        raise ValueError(f"{path} is incomplete: it lacks {', '.join(lacking)}.")
    return config
