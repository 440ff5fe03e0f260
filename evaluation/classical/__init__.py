"""Classical codecs, measured as learned ones are: on files that were written and decoded again.

A module of this package that defines ``CODECS`` (command-line name -> `ClassicalCodec`) needs no
further registration.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from typing import TYPE_CHECKING, Dict

if TYPE_CHECKING:
    from evaluation.classical.codec import ClassicalCodec


@functools.cache
def classical_codecs() -> Dict[str, ClassicalCodec]:
    """Command-line name -> codec, in alphabetical order of the modules."""
    codecs = {}
    for module in pkgutil.iter_modules(__path__, f"{__name__}."):
        codecs.update(getattr(importlib.import_module(module.name), "CODECS", {}))
    return codecs
