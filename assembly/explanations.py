"""What errors of Hydra, OmegaConf and TensorFlow mean, in one line that names the word at fault."""

from __future__ import annotations

import importlib
import inspect
import re
from typing import Any, Iterator, List, Optional

from hydra.errors import InstantiationException, MissingConfigException, OverrideParseException
from hydra.utils import get_object
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from assembly.choices import CONFIGS, did_you_mean

_TYPES = {
    "converted to Integer": "a whole number",
    "converted to Float": "a number",
    "not a valid bool": "true or false",
    "not a ListConfig": "a list, such as [a,b]",
    "to string": "text",
}
"""Part of a message of OmegaConf's -> what a value must be."""


def explain(error: BaseException) -> str:
    """One line for an error that a user's command led to."""
    for cause in _chain(error):
        if isinstance(cause, MissingMandatoryValue):
            return f"{cause.full_key} must be given: {cause.full_key}=VALUE."
    if isinstance(error, OverrideParseException):
        return _unreadable(error.override)
    if isinstance(error, MissingConfigException) and error.options:
        return _no_such_choice(error)
    if isinstance(error, InstantiationException):
        return _not_built(error)
    cause = error.__cause__
    if isinstance(cause, (ConfigAttributeError, ConfigKeyError)):
        return _no_such_key(cause)
    if isinstance(cause, ValidationError):
        return _wrong_type(str(error), cause)
    if isinstance(error, OmegaConfBaseException):
        return _first_line(error) + (f" ({error.full_key})" if error.full_key else "")
    return _by_its_message(error)


def _chain(error: Optional[BaseException]) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _unreadable(override: str) -> str:
    key, equals, value = override.partition("=")
    if not equals:
        return f"{override}: settings are KEY=VALUE, such as steps=100."
    text = re.sub(r"(\\*)(\"|$)", lambda m: m[1] * 2 + ('\\"' if m[2] else ""), value)
    return f"{override} cannot be read; quote the value twice: '{key}=\"{text}\"'."


def _no_such_choice(error: MissingConfigException) -> str:
    group, _, name = str(error.missing_cfg_file).rpartition("/")
    options = sorted(set(error.options))
    meant = did_you_mean(name, options)
    return f"{group}={name!r} must be one of {', '.join(options)}{meant}."


def _no_such_key(error: OmegaConfBaseException) -> str:
    parent, key = error.parent_node, str(error.key)
    siblings = [str(name) for name in parent or () if name not in ("_target_", "hydra")]
    meant = did_you_mean(key, siblings)
    if not meant and isinstance(parent, DictConfig):
        every = _keys(OmegaConf.to_container(parent._get_root(), resolve=False))
        last = {name.rpartition(".")[2]: name for name in every if not name.startswith("hydra")}
        meant = f"; did you mean {last[key]!r}?" if key in last else ""
    return f"{error.full_key}: there is no such key{meant or '.'} --help lists them."


def _keys(node: Any, prefix: str = "") -> List[str]:
    if not isinstance(node, dict):
        return [prefix[:-1]]
    return [name for key, value in node.items() for name in _keys(value, f"{prefix}{key}.")]


def _wrong_type(message: str, error: ValidationError) -> str:
    given = message.rpartition("override ")[2] or f"{error.full_key}={error.value}"
    kind = next((kind for part, kind in _TYPES.items() if part in str(error)), None)
    if kind is None:
        return f"{given}: {_first_line(error)}"
    meant = ""
    if kind == "a whole number" and isinstance(error.value, float) and error.value.is_integer():
        meant = f"; did you mean {error.full_key}={error.value:.0f}?"
    return f"{given} must be {kind}{meant}."


def _not_built(error: InstantiationException) -> str:
    """A part that cannot be built: its class does not exist or refuses an argument."""
    built: BaseException = error
    while isinstance(built.__cause__, InstantiationException):
        built = built.__cause__
    cause, message = built.__cause__, str(built)
    target = re.search(r"target '([^']+)'", message)
    if cause is None or target is None:
        return _first_line(cause or built)
    key = re.search(r"full_key: (\S+)", message)
    where = f"{key[1]}: " if key else ""
    if message.startswith("Error locating"):
        return f"{where}there is no {target[1]}{_near_class(target[1])}"
    name = target[1].rpartition(".")[2]
    unknown = re.search(r"unexpected keyword argument '(\w+)'", str(cause))
    if unknown:
        known = inspect.signature(get_object(target[1])).parameters
        return f"{where}{name} has no argument {unknown[1]!r}{did_you_mean(unknown[1], known)}"
    # Errors of the parts themselves name the argument.
    return f"{where}{name}: {cause}" if isinstance(cause, TypeError) else explain(cause)


def _near_class(target: str) -> str:
    package, _, name = target.rpartition(".")
    try:
        module = importlib.import_module(package)
    except ImportError as error:
        return f" ({error})"
    return did_you_mean(name, [known for known in vars(module) if not known.startswith("_")])


def _by_its_message(error: BaseException) -> str:
    message = str(error)
    sweep = re.match(r"Ambiguous value for argument '(.*)'\n", message)
    if sweep:
        key, _, value = sweep[1].partition("=")
        decimal = re.fullmatch(r"-?\d+,\d+", value)
        meant = (
            f"did you mean {key}={value.replace(',', '.')}?"
            if decimal
            else f"a list is {key}=[{value}]."
        )
        return f"{sweep[1]}: commas separate the values of a sweep, which needs -m; {meant}"
    group = re.match(r"Could not override '(.*?)'\.", message)
    if group:
        known = [path.name for path in CONFIGS.iterdir() if path.is_dir()]
        named = re.search(r"override one of (.*)\?", message)
        known = named[1].split(", ") if named else [name for name in known if name != group[1]]
        return f"{group[1]}: this command has no such group{did_you_mean(group[1], known)}"
    if message.startswith("Graph execution error"):  # TensorFlow's, whose reason comes last.
        message = re.sub(r"(?s).*\nNode: [^\n]*\n", "", message).partition("\n\t [[")[0]
    return message or type(error).__name__


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
