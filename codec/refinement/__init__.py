"""Encoder-side refinement: one file's latents are improved before they are coded.

Decoders do not notice: a file of refined latents is a file like any other.
"""

from codec.refinement.objective import Objective, Refined
from codec.refinement.rdoq import RateDistortionOptimizedQuantization
from codec.refinement.sga import StochasticGumbelAnnealing

__all__ = [
    "Objective",
    "RateDistortionOptimizedQuantization",
    "Refined",
    "StochasticGumbelAnnealing",
]
