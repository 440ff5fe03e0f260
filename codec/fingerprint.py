"""Eight bytes that identify a trained model: only the model that coded a file decodes it."""

from __future__ import annotations

import hashlib

from codec.container import FINGERPRINT_BYTES
from models import Autoencoder


def fingerprint(model: Autoencoder) -> bytes:
    """First 8 bytes of the SHA-256 over everything that coding and decoding depend on.

    This is the class names, the quantizer's settings and variables that act after training, all
    weights of the transforms and the coding tables; not schedules, noise streams and the compute
    precision.
    """
    digest = hashlib.sha256()
    pairs = [
        (model.transforms, model.quantizer, model.entropy),
        (model.hyper, model.hyper_quantizer, model.hyper_entropy),
    ]
    for transforms, quantizer, entropy in pairs:
        if transforms is None:
            continue
        for part in (transforms, quantizer, entropy):
            digest.update(type(part).__name__.encode())
        digest.update(repr(quantizer.coding_settings).encode())
        for variable in (*transforms.variables, *quantizer.coding_variables, *entropy.variables):
            value = variable.numpy()
            digest.update(f"{value.dtype.str}{value.shape}".encode())
            digest.update(value.tobytes())
    if model.rate is not None:
        for steps in model.rate.coding_values:
            digest.update(f"{steps.shape}".encode() + steps.tobytes())
    return digest.digest()[:FINGERPRINT_BYTES]
