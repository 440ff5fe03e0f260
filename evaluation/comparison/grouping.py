"""Which results form one curve, and the curve's name, from the configurations in the results."""

from __future__ import annotations

import collections
import pathlib
from typing import Any, Dict, List, Mapping, Optional, Sequence

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from evaluation.comparison.measurements import Measurement

_SETTINGS_IN_A_NAME = 3
_OTHER_FILES = ("data.test_root", "data.validation_root")
"""Whether there are such folders decides what is trained on; which they are does not."""

Config = Mapping[str, Any]
Groups = Dict[str, List[Measurement]]
"""Name of a curve -> its runs, or the one file that holds it."""


def group_results(
    measurements: Sequence[Measurement], quantizers: pathlib.Path, ignored: Sequence[str] = ()
) -> Groups:
    """Groups runs, and makes every other file a curve of its own.

    Files of one name are told apart by their paths.

    Args:
        measurements: results of runs, classical codecs and published files.
        quantizers: folder of the configured quantizers, which name the runs' curves.
        ignored: settings that may differ among the runs of a curve, besides lmbda and seed.
    """
    groups = group_runs([each for each in measurements if each.is_run], quantizers, ignored)
    files = [each for each in measurements if not each.is_run]
    # Lists of names are split at commas.
    names = [each.results.name.replace(",", ";") for each in files]
    taken = collections.Counter([*names, *groups])
    for name, each in zip(names, files):
        unique = name if taken[name] == 1 else f"{name} ({each.path})"
        groups[unique.replace(",", ";")] = [each]
    return groups


def select_groups(
    groups: Groups, anchor: str, only: Optional[str] = None, unusable: Sequence[str] = ()
) -> Groups:
    """The curves to compare.

    Args:
        groups: all curves.
        anchor: one of their names.
        only: names to keep besides the anchor, separated by commas; None keeps all.
        unusable: why files and runs form no curve, for messages.

    Raises:
        ValueError: a name is unknown, or fewer than two curves remain.
    """
    more = f" Not read: {unusable[0]}" if unusable else ""
    names = None if only is None else [name.strip() for name in only.split(",")]
    for option, wanted in (("anchor", [anchor]), ("only", names or [])):
        for name in wanted:
            if name not in groups:
                choices = ", ".join(groups) or "none"
                raise ValueError(f"{option}={name!r} must be one of the curves: {choices}.{more}")
    if names is not None:
        groups = {name: group for name, group in groups.items() if name in (anchor, *names)}
    if len(groups) < 2:
        raise ValueError(
            f"a comparison needs at least 2 curves, got {', '.join(groups)} "
            f"({sum(map(len, groups.values()))} results).{more}"
        )
    return groups


def group_runs(
    runs: Sequence[Measurement], quantizers: pathlib.Path, ignored: Sequence[str] = ()
) -> Groups:
    """Groups runs that differ only in lmbda and seed, under the name of their quantizer.

    Refined files form a curve of their own: ``mixed + sga``. Groups of one quantizer are told apart
    by the settings that differ: ``mixed (num_filters=128)``. Names contain no commas, because lists
    of names are split there. Arguments are those of `group_results`.

    Returns:
        Groups in the order of their first runs.
    """
    ignored = {*ignored, "lmbda", "seed", "data.cache_gib"}
    if not all("precision" in run.results.provenance for run in runs):
        # Older results have the precision of their evaluation in the place of the run's.
        ignored |= {key for run in runs for key in _flat(run.config) if key.endswith("precision")}
    groups: Dict[tuple, List[Measurement]] = {}
    for run in runs:
        groups.setdefault(tuple(sorted(_identity(run, ignored).items())), []).append(run)
    by_quantizer: Dict[str, List[tuple]] = {}
    choices = quantizer_choices(quantizers)
    for identity, (run, *_) in groups.items():
        name = quantizer_name(run.config, choices)
        refinement = run.results.provenance.get("refinement")
        if refinement is not None:
            name = f"{name} + {refinement['name']}"
        by_quantizer.setdefault(name, []).append(identity)
    names = {}
    for name, identities in by_quantizer.items():
        settings = _telling_apart([dict(identity) for identity in identities])
        for identity, setting in zip(identities, settings):
            names[identity] = f"{name} ({setting})" if setting else name
    return {names[identity]: members for identity, members in groups.items()}


def quantizer_choices(folder: pathlib.Path) -> Dict[str, Dict[str, Any]]:
    """Name -> content of each YAML file of the folder, in which nothing is resolved."""
    files = {path.stem: OmegaConf.load(path) for path in sorted(folder.glob("*.yaml"))}
    return {name: OmegaConf.to_container(file) for name, file in files.items()}


def quantizer_name(config: Config, choices: Mapping[str, Mapping[str, Any]]) -> str:
    """The configured quantizer that a run was trained with, as ``soft_round``.

    A quantizer whose settings were changed is named after the nearest choice and the changes:
    ``soft_round (decoder.alpha=7)``; one that is no choice, after its classes.

    Args:
        config: of the run.
        choices: the configured quantizers, from `quantizer_choices`.
    """
    own = _flat(config["quantizer"])
    nearest, changes = None, None
    for name, content in choices.items():
        if _classes(_flat(content)) != _classes(own):
            continue
        choice = _resolved(content, config)
        if choice is None:
            continue
        differing = sorted(key for key in {*own, *choice} if own.get(key) != choice.get(key))
        if changes is None or len(differing) < len(changes):
            nearest, changes = name, differing
    if nearest is None:
        return " / ".join(str(name) for name in _classes(own) if name != "ScalarQuantizer")
    # Keys that the run lacks are left out: a schedule instead of a number has many others.
    settings = [f"{key}={own[key]}" for key in changes if key in own]
    return f"{nearest} ({' '.join(settings)})" if settings else nearest


def _resolved(choice: Mapping[str, Any], config: Config):
    # The run may be a stranger's: what refers to something, as to the environment, is left out.
    scalars = {
        key: value
        for key, value in config.items()
        if not isinstance(value, (dict, list)) and "${" not in str(value)
    }
    tree = OmegaConf.create({**scalars, "quantizer": choice})
    try:
        return _flat(OmegaConf.to_container(tree.quantizer, resolve=True))
    except OmegaConfBaseException:
        return None  # It refers to a setting that an older run lacks.


def _classes(flat) -> List[str]:
    return [flat[key] for key in ("_target_", "decoder._target_", "rate._target_") if key in flat]


def _identity(run: Measurement, ignored) -> Dict[str, Any]:
    provenance = run.results.provenance
    own = {key: value for key, value in _flat(run.config).items() if key not in ignored}
    own.update((key, "given") for key in _OTHER_FILES if key in own)
    # Parts that follow the run's lmbda, such as a transform's first step of quantization.
    follows = run.config["lmbda"] if "lmbda" in ignored else None
    identity = {
        key: value
        for key, value in own.items()
        if not (key.endswith(".lmbda") and value == follows)
    }
    identity["evaluation.precision"] = provenance.get("precision", run.config.get("precision"))
    if provenance.get("stages") is not None:
        identity["stages"] = provenance["stages"]
    if provenance.get("refinement") is not None:
        identity.update(_flat(provenance["refinement"], "refinement."))
    return identity


def _flat(node: Any, prefix: str = "") -> Dict[str, Any]:
    """Dotted key -> value, without seeds and nulls.

    A setting that was added later is null in new runs and absent from old ones that mean the same.
    """
    flat = {}
    for key, value in node.items():
        if key == "seed" or value is None:
            continue
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = _short(f"{prefix}{key}", value)
    return flat


def _short(key: str, value: Any) -> Any:
    """Without commas; of classes and paths the last part, on which all machines agree.

    A dataset's name is whole: TFDS has several of one last part.
    """
    if isinstance(value, list):
        return "+".join(str(_short(key, item)) for item in value)
    if not isinstance(value, str):
        return value
    if key != "data.name":
        separator = "." if key.rpartition(".")[2] == "_target_" else "/"
        value = value.rstrip("/").rsplit(separator, 1)[-1]
    return value.replace(",", ";")


def _telling_apart(identities: Sequence[Dict[str, Any]]) -> List[str]:
    """The settings that differ, for each identity: all if few, otherwise as many as it takes.

    Those that read the same, such as 2000 and "2000", are numbered.
    """

    def values(key):
        return tuple(str(identity.get(key, "null")) for identity in identities)

    # Of keys with the same values (steps, optimizer.steps), the shallowest.
    differing: Dict[tuple, str] = {}
    for key in sorted(set().union(*identities), key=lambda key: (key.count("."), key)):
        if len(set(values(key))) > 1:
            differing.setdefault(values(key), key)
    keys = list(differing.values())
    chosen = keys if len(keys) <= _SETTINGS_IN_A_NAME else []

    def distinct(keys):
        return len(set(zip(*map(values, keys)))) if keys else 1

    while distinct(chosen) < distinct(keys):
        chosen = [*chosen, max(keys, key=lambda key: distinct([*chosen, key]))]
    texts = [
        " ".join(f"{key.rsplit('.', 1)[-1]}={values(key)[k]}" for key in chosen)
        for k in range(len(identities))
    ]
    numbers = [
        f" number {texts[: k + 1].count(text)}" if texts.count(text) > 1 else ""
        for k, text in enumerate(texts)
    ]
    more = f" and {len(keys) - len(chosen)} more" if len(keys) > len(chosen) else ""
    return [f"{text}{number}{more}".strip() for text, number in zip(texts, numbers)]
