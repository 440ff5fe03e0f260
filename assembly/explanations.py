"""What errors of Hydra, OmegaConf and TensorFlow mean, in one line that names the word at fault."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from typing import Any, Iterator, List, Optional

from hydra.errors import InstantiationException, MissingConfigException, OverrideParseException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import (
    ConfigAttributeError,
    ConfigKeyError,
    MissingMandatoryValue,
    OmegaConfBaseException,
    ValidationError,
)

from assembly.choices import did_you_mean

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
        key = re.search(r"full_key: (\S+)", str(error))
        return (f"{key[1]}: " if key else "") + _first_line(error)
    return _by_its_message(error)


def built_in(error: InstantiationException) -> Exception:
    """The error to raise in its place: the line alone, of a kind that Python has."""
    is_missing = any(isinstance(cause, FileNotFoundError) for cause in _chain(error))
    return (FileNotFoundError if is_missing else ValueError)(explain(error))


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
    end = did_you_mean(name, options)
    return f"{group}={name!r} must be one of {', '.join(options)}{end}"


def _no_such_key(error: OmegaConfBaseException) -> str:
    parent, key = error.parent_node, str(error.key)
    siblings = [str(name) for name in parent or () if name not in ("_target_", "hydra")]
    end = did_you_mean(key, siblings)
    if end == "." and isinstance(parent, DictConfig):
        every = _keys(OmegaConf.to_container(parent._get_root(), resolve=False))
        last = {name.rpartition(".")[2]: name for name in every if not name.startswith("hydra")}
        end = f"; did you mean {last[key]!r}?" if key in last else end
    return f"{error.full_key}: there is no such key{end} --help lists them."


def _keys(node: Any, prefix: str = "") -> List[str]:
    """Dotted names of everything in a node, the shortest last."""
    names = [
        name
        for key, value in (node.items() if isinstance(node, dict) else ())
        for name in (*_keys(value, f"{prefix}{key}."), f"{prefix}{key}")
    ]
    return sorted(names, key=lambda name: -name.count("."))


def _wrong_type(message: str, error: ValidationError) -> str:
    given = message.rpartition("override ")[2] or f"{error.full_key}={error.value}"
    kind = next((kind for part, kind in _TYPES.items() if part in str(error)), None)
    if kind is None:
        return f"{given}: {_first_line(error)}"
    end = "."
    if kind == "a whole number" and isinstance(error.value, float) and error.value.is_integer():
        end = f"; did you mean {error.full_key}={error.value:.0f}?"
    return f"{given} must be {kind}{end}"


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
        known = inspect.signature(pkgutil.resolve_name(target[1])).parameters
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
        named = re.search(r"override one of (.*)\?", message)
        end = did_you_mean(group[1], named[1].split(", ")) if named else "."
        return f"{group[1]}: this command has no such group{end} --help lists them."
    if message.startswith("Graph execution error"):  # TensorFlow's, whose reason comes last.
        message = re.sub(r"(?s).*\nNode: [^\n]*\n", "", message).partition("\n\t [[")[0]
    # TensorFlow's names of its own functions say nothing to a user.
    message = re.sub(r"\{\{.*?\}\} ?| ?\[Op:\w+\]", "", message) or type(error).__name__
    return f"not enough memory: {message}" if isinstance(error, MemoryError) else message


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
