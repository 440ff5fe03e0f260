"""Eight bytes that name a trained model: a file decodes with the model that coded it, or not."""

from __future__ import annotations

import hashlib

from codec.container import FINGERPRINT_BYTES
from models import Autoencoder


def fingerprint(model: Autoencoder) -> bytes:
    """First 8 bytes of the SHA-256 over all that coding and decoding depend on.

    These are the class names, the quantizer's settings and variables that act after training, all
    weights of the transforms and the coding tables. Schedules, noise streams and the compute
    precision are not.
    """
    digest = hashlib.sha256()
    for part in (model.transforms, model.quantizer, model.entropy):
        digest.update(type(part).__name__.encode())
    digest.update(repr(model.quantizer.coding_settings).encode())
    for variable in (
        *model.transforms.variables,
        *model.quantizer.coding_variables,
        *model.entropy.variables,
    ):
        value = variable.numpy()
        digest.update(f"{value.dtype.str}{value.shape}".encode())
        digest.update(value.tobytes())
    return digest.digest()[:FINGERPRINT_BYTES]
