"""Command lines of train.py and evaluate.py: names as typed, mistakes in one line, help."""

from __future__ import annotations

import contextlib
import re
import sys
from typing import Any, Callable
from unittest import mock

import hydra
from hydra._internal.utils import get_args_parser
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from assembly.choices import CONFIGS, did_you_mean
from assembly.command_help import print_help
from assembly.user_errors import one_line_errors
from hydra_plugins.roundtrip_launcher import register_plugins

NAMES = {
    "run", "runs", "pretrained", "init_from", "data.root", "data.validation_root", "data.test_root",
    "data.name", "data.data_dir", "data.download_dir", "hydra.sweep.dir",
}  # fmt: skip
"""Settings whose values are names or paths: Hydra's grammar does not apply to them."""


def run_command(main: Callable[[], None], config_name: str) -> None:
    """Runs a function decorated with ``hydra.main`` for the arguments in ``sys.argv``.

    Args:
        main: the command.
        config_name: its primary configuration in ``configs/``.
    """
    register_plugins()
    with one_line_errors(), _hydra_raises():
        parser = get_args_parser()
        parser.error = _refuse_option
        arguments = parser.parse_intermixed_args()
        options = [text for text in sys.argv[1:] if text not in arguments.overrides]
        # Before the overrides, since Hydra's parser takes no overrides after another option.
        sys.argv[1:] = [
            *options,
            *(as_typed(text, arguments.multirun) for text in arguments.overrides),
        ]
        if arguments.help:
            sys.argv[1:] = [
                text for text in sys.argv[1:] if text not in ("--help", "-h", "--multirun", "-m")
            ]
            hydra.main(version_base="1.3", config_path=str(CONFIGS), config_name=config_name)(
                print_help
            )()
        else:
            main()


def as_typed(override: str, multirun: bool = False) -> str:
    """The override, with the value quoted if it is a name that Hydra would take for anything else.

    Without this ``run=2024`` is a number and ``run=a(b)`` calls a function.

    Args:
        override: such as ``data.root=/a,/b``.
        multirun: leave values of a sweep alone.
    """
    key, _, value = override.partition("=")
    if key.lstrip("+") not in NAMES or value in ("", "null") or "${" in value:
        return override
    if value[0] in "\"'":
        return override
    try:
        parsed = OverridesParser.create().parse_override(override)
        read: Any = parsed.value()
    except HydraException:
        return f"{key}={quoted(value)}"
    if isinstance(read, (str, dict)) or (parsed.is_sweep_override() and multirun):
        is_trimmed = read == value.strip() != value  # Hydra takes spaces around a value off.
        return f"{key}={quoted(value)}" if is_trimmed else override
    if isinstance(read, list) and key.lstrip("+") != "run":
        kinds = {type(item) for item in read}
        has_digits = int in kinds and kinds <= {int, str}
        listed = ",".join(quoted(str(item)) for item in read)
        return f"{key}=[{listed}]" if has_digits else override
    return f"{key}={quoted(value)}"


def quoted(text: str) -> str:
    """The text as a value in Hydra's grammar."""
    if "/" in text and re.fullmatch(r"[\w./+-]+", text, re.ASCII):
        return text  # A path, as it was always handed on: nothing else reads like one.
    # Backslashes are themselves unless a quote follows.
    escaped = re.sub(r"(\\*)('|$)", lambda m: m[1] * 2 + ("\\'" if m[2] else ""), text)
    return f"'{escaped}'"


@contextlib.contextmanager
def _hydra_raises():
    """Makes Hydra raise its errors; by itself it prints them over several lines and exits."""
    with contextlib.ExitStack() as patches:
        for module in ("utils", "hydra"):
            name = f"hydra._internal.{module}.run_and_report"
            patches.enter_context(mock.patch(name, lambda function: function()))
        yield


def _refuse_option(message: str) -> None:
    match = re.fullmatch(r"unrecognized arguments: (\S+).*", message)
    if match is None:
        raise ValueError(message)
    name = match[1].partition("=")[0]
    known = [option for a in get_args_parser()._actions for option in a.option_strings]
    end = did_you_mean(name, known)
    if end == ".":
        end = f"; settings are {name.lstrip('-')}=VALUE, without dashes."
    raise ValueError(f"{name}: there is no such option{end}")
