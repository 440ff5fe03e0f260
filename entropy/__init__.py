"""Entropy models: bits while training, range-coded bytes afterwards."""

from entropy.categorical_prior import CategoricalPrior
from entropy.conditional_gaussian import ConditionalGaussian
from entropy.factorized_prior import FactorizedPrior
from entropy.fitting import fitting

__all__ = ["CategoricalPrior", "ConditionalGaussian", "FactorizedPrior", "fitting"]
