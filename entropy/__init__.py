"""Entropy models: bits while training, range-coded bytes afterwards."""

from entropy.auto import auto_entropy_model
from entropy.categorical_prior import CategoricalPrior
from entropy.conditional_gaussian import ConditionalGaussian
from entropy.factorized_prior import FactorizedPrior

__all__ = ["CategoricalPrior", "ConditionalGaussian", "FactorizedPrior", "auto_entropy_model"]
