"""The default entropy model for an alphabet."""

from __future__ import annotations

from entropy.categorical_prior import CategoricalPrior
from entropy.conditional_gaussian import ConditionalGaussian
from entropy.factorized_prior import FactorizedPrior


def auto_entropy_model(*, channels: int, alphabet, conditional: bool = False):
    """The entropy model for ``channels`` latent channels whose symbols are of ``alphabet``.

    Args:
        channels: of the latents.
        alphabet: the quantizer's.
        conditional: whether the model predicts scales.

    Raises:
        ValueError: there is none, for indices whose scales are predicted.
    """
    if conditional:
        return ConditionalGaussian(channels=channels, alphabet=alphabet)
    prior = {p.kind: p for p in (FactorizedPrior, CategoricalPrior)}[alphabet.kind]
    return prior(channels=channels, alphabet=alphabet)
