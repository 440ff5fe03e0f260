"""Entropy models: bits while training, range-coded bytes afterwards."""

from entropy.factorized_prior import FactorizedPrior

__all__ = ["FactorizedPrior"]
