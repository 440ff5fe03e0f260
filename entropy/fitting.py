"""The default entropy model of an alphabet."""

from __future__ import annotations

from entropy.categorical_prior import CategoricalPrior
from entropy.factorized_prior import FactorizedPrior

BY_KIND = {prior.kind: prior for prior in (FactorizedPrior, CategoricalPrior)}


def fitting(*, channels: int, alphabet):
    """The entropy model for ``channels`` latent channels whose symbols are of ``alphabet``."""
    return BY_KIND[alphabet.kind](channels=channels, alphabet=alphabet)
