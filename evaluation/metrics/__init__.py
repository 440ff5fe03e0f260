"""Image and audio metrics. A file of this package that defines ``METRICS`` adds its records."""

import importlib
import pkgutil
from typing import Dict

from evaluation.metrics.metric import Metric

_FIRST = ("image", "audio", "speech")


def _found() -> Dict[str, Metric]:
    """Key -> metric; files that are not listed above follow in alphabetical order."""
    files = {module.name for module in pkgutil.iter_modules(__path__)}
    records = {}
    for file in (*_FIRST, *sorted(files.difference(_FIRST))):
        module = importlib.import_module(f"{__name__}.{file}")
        records.update((metric.key, metric) for metric in getattr(module, "METRICS", ()))
    return records


METRICS = _found()
"""Key -> metric. The first metric of a medium is the one compared by default."""
