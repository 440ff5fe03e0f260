"""Which records of a TFDS dataset are trained on, validated on and tested on."""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Dict, List, Mapping, Optional

import tensorflow_datasets as tfds

from data.source import SPLITS

SplitNames = Optional[Mapping[str, Optional[str]]]
"""TFDS's name or slice for some of the splits, as "dev_clean" or "train[:100]"."""


def choose_splits(builder: tfds.core.DatasetBuilder, named: SplitNames) -> Dict[str, Optional[str]]:
    """TFDS's name or slice for each split, see `TfdsRecords`; None for one without records."""
    own = builder.info.splits
    named = {split: value for split, value in (named or {}).items() if value is not None}
    for split, value in named.items():
        try:
            own[value]
        except Exception as error:  # KeyError, ValueError: by TFDS's version and kind of mistake
            raise ValueError(
                f"splits.{split}={value!r} is no split of {builder.info.full_name}, which has "
                f"{', '.join(own)}."
            ) from error
    base = trained_on(builder, named)
    chosen: Dict[str, Optional[str]] = {
        split: named.get(split, split if split in own and split != base else None)
        for split in SPLITS
    }
    chosen["train"] = base
    if base in own:  # a slice or a sum is not cut any further
        end = own[base].num_examples
        tenth = max(1, end // 10)
        for split in ("test", "validation"):
            if chosen[split] is None and end > tenth:
                chosen[split] = f"{base}[{end - tenth}:{end}]"
                end -= tenth
        chosen["train"] = base if end == own[base].num_examples else f"{base}[:{end}]"
    _check_disjoint(builder, chosen)
    return chosen


def _check_disjoint(builder: tfds.core.DatasetBuilder, chosen: Mapping[str, Optional[str]]) -> None:
    ranges: Dict[str, Dict[str, List[range]]] = {}
    for split, name in chosen.items():
        ranges[split] = defaultdict(list)
        for part in builder.info.splits[name].file_instructions if name else ():
            ranges[split][part.filename].append(range(part.skip, part.skip + part.take))
    for first, second in itertools.combinations(SPLITS, 2):
        if any(
            max(a.start, b.start) < min(a.stop, b.stop)
            for filename, parts in ranges[first].items()
            for a in parts
            for b in ranges[second].get(filename, ())
        ):
            raise ValueError(
                f"splits: {first} ({chosen[first]}) and {second} ({chosen[second]}) share records "
                f"of {builder.info.full_name}: name slices of both that do not overlap."
            )


def trained_on(builder: tfds.core.DatasetBuilder, named: SplitNames) -> str:
    """The split that training records come from, before any other is cut from it."""
    own = builder.info.splits
    if named and named.get("train"):
        return named["train"]
    if "train" not in own and len(own) != 1:
        raise ValueError(
            f"{builder.info.full_name} has no split 'train'; its splits: {', '.join(own)}."
        )
    return "train" if "train" in own else next(iter(own))
