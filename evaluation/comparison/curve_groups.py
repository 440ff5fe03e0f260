"""Which runs make one curve, and what it is called: from the configuration that a result keeps."""

from __future__ import annotations

import pathlib
from typing import Any, Dict, List, Mapping, Sequence

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from assembly.choices import CONFIGS
from evaluation.comparison.measurements import Measurement
from training.run_directory import NOT_PART_OF_A_RUN

_SAME_CURVE = (*NOT_PART_OF_A_RUN, "lmbda", "seed", "data.cache_gib")
_SETTINGS_IN_A_NAME = 3

Config = Mapping[str, Any]


def is_run(measurement: Measurement) -> bool:
    """Whether the results are of one trained run, and not a whole curve."""
    config = measurement.results.provenance.get("config")
    return (
        isinstance(config, dict)
        and {"lmbda", "seed", "quantizer"} <= set(config)
        and len(measurement.results.points[measurement.results.medium.rate]) == 1
    )


def group_runs(runs: Sequence[Measurement]) -> Dict[str, List[Measurement]]:
    """Runs that differ in lmbda and seed alone, by the name of their quantizer.

    Refined files are a curve of their own: ``mixed + sga``. Where groups have the same quantizer,
    the name goes on with the settings that differ: ``mixed (num_filters=128)``. Names hold no
    comma: lists of names are split there.

    Args:
        runs: results of trained runs.

    Returns:
        Name -> its runs, in the order of their first ones.
    """
    groups: Dict[tuple, List[Measurement]] = {}
    for run in runs:
        groups.setdefault(tuple(sorted(_identity(run).items())), []).append(run)
    by_quantizer: Dict[str, List[tuple]] = {}
    for identity, members in groups.items():
        provenance = members[0].results.provenance
        name = quantizer_name(provenance["config"])
        if provenance.get("refinement") is not None:
            name = f"{name} + {provenance['refinement']['name']}"
        by_quantizer.setdefault(name, []).append(identity)
    names = {}
    for name, identities in by_quantizer.items():
        settings = _telling_apart([dict(identity) for identity in identities])
        for identity, setting in zip(identities, settings):
            names[identity] = f"{name} ({setting})" if setting else name
    return {names[identity]: members for identity, members in groups.items()}


def quantizer_name(config: Config) -> str:
    """The choice of ``quantizer`` that a run was trained with, as ``soft_round``.

    A quantizer whose settings were changed is called after the choice that is nearest, with its
    changed settings: ``soft_round (decoder.alpha=7)``; one that no choice comes near, after its
    classes.
    """
    own = _flat(config["quantizer"])
    nearest, changes = None, None
    for path in sorted((CONFIGS / "quantizer").glob("*.yaml")):
        choice = _choice(path, config)
        if choice is None or _classes(choice) != _classes(own):
            continue
        differing = sorted(key for key in {*own, *choice} if own.get(key) != choice.get(key))
        if changes is None or len(differing) < len(changes):
            nearest, changes = path.stem, differing
    if nearest is None:
        return " / ".join(str(name) for name in _classes(own) if name != "ScalarQuantizer")
    # A schedule in the place of a number is many keys, and what was there before is no news.
    told = [f"{key}={own[key]}" for key in changes if key in own]
    return f"{nearest} ({' '.join(told)})" if told else nearest


def _choice(path: pathlib.Path, config: Config):
    scalars = {key: value for key, value in config.items() if not isinstance(value, (dict, list))}
    tree = OmegaConf.create({**scalars, "quantizer": OmegaConf.load(path)})
    try:
        return _flat(OmegaConf.to_container(tree.quantizer, resolve=True))
    except OmegaConfBaseException:
        return None  # It refers to a setting that the run, of an older version, does not have.


def _classes(flat) -> List[str]:
    return [
        flat.get(key) for key in ("_target_", "decoder._target_", "rate._target_") if key in flat
    ]


def _identity(run: Measurement) -> Dict[str, Any]:
    provenance = run.results.provenance
    identity = {
        key: value for key, value in _flat(provenance["config"]).items() if key not in _SAME_CURVE
    }
    if provenance.get("stages") is not None:
        identity["stages"] = provenance["stages"]
    if provenance.get("refinement") is not None:
        identity.update(_flat(provenance["refinement"], "refinement."))
    return identity


def _flat(node: Any, prefix: str = "") -> Dict[str, Any]:
    """Dotted key -> value, without seeds and without nulls.

    A setting that came later is null, or was not there, in runs that mean the same.
    """
    flat = {}
    for key, value in node.items():
        if key == "seed" or value is None:
            continue
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = _short(key, value)
    return flat


def _short(key: str, value: Any) -> Any:
    """Without commas; of classes and paths the last part, which is what machines agree on."""
    if isinstance(value, list):
        return "+".join(str(_short(key, item)) for item in value)
    if not isinstance(value, str):
        return value
    separator = "." if key == "_target_" else "/"
    return value.rstrip("/").rsplit(separator, 1)[-1].replace(",", ";")


def _telling_apart(identities: Sequence[Dict[str, Any]]) -> List[str]:
    """Of each the settings that differ: all of them if they are few, else as many as it takes."""

    def values(key):
        return tuple(str(identity.get(key, "null")) for identity in identities)

    # The shallow key first: steps, not optimizer.steps, whose values follow it and are left out.
    differing: Dict[tuple, str] = {}
    for key in sorted(set().union(*identities), key=lambda key: (key.count("."), key)):
        if len(set(values(key))) > 1:
            differing.setdefault(values(key), key)
    keys = list(differing.values())
    chosen = keys if len(keys) <= _SETTINGS_IN_A_NAME else []

    def distinct(keys):
        return len(set(zip(*map(values, keys)))) if keys else 1

    while distinct(chosen) < len(identities):
        chosen = [*chosen, max(keys, key=lambda key: distinct([*chosen, key]))]
    told = zip(*([f"{key.rsplit('.', 1)[-1]}={value}" for value in values(key)] for key in chosen))
    more = f" and {len(keys) - len(chosen)} more" if len(keys) > len(chosen) else ""
    return [" ".join(settings) + more for settings in told] or [""]
