"""Interchangeable quantizers: a rate slot and a decoder slot, each filled by a surrogate."""

from quantizers.base.contract import Indices, Integers, Quantized, Quantizer, ScalarSurrogate
from quantizers.base.scalar import ScalarQuantizer
from quantizers.finite_scalar import FiniteScalarQuantizer
from quantizers.identity import Identity
from quantizers.lattice import LatticeQuantizer
from quantizers.learned_step import LearnedStep
from quantizers.lookup_free import LookupFreeQuantizer
from quantizers.noise import GaussianNoise, KumaraswamyNoise, UniformNoise
from quantizers.residual_vector import ResidualVectorQuantizer
from quantizers.sinusoids import Fourier, Sinusoidal
from quantizers.soft_round import SoftGradient, SoftRound, SoftRoundNoise
from quantizers.soft_to_hard import SoftToHardQuantizer
from quantizers.staircase import Ramp, Sigmoid
from quantizers.stochastic import Gumbel, StochasticRound
from quantizers.straight_through import IdentityGradient, StraightThrough
from quantizers.trellis import TrellisQuantizer
from quantizers.universal import UniversalQuantizer
from quantizers.vector import VectorQuantizer

__all__ = [
    "FiniteScalarQuantizer",
    "Fourier",
    "GaussianNoise",
    "Gumbel",
    "Identity",
    "IdentityGradient",
    "Indices",
    "Integers",
    "KumaraswamyNoise",
    "LatticeQuantizer",
    "LearnedStep",
    "LookupFreeQuantizer",
    "Quantized",
    "Quantizer",
    "Ramp",
    "ResidualVectorQuantizer",
    "ScalarQuantizer",
    "ScalarSurrogate",
    "Sigmoid",
    "Sinusoidal",
    "SoftGradient",
    "SoftRound",
    "SoftRoundNoise",
    "SoftToHardQuantizer",
    "StochasticRound",
    "StraightThrough",
    "TrellisQuantizer",
    "UniformNoise",
    "UniversalQuantizer",
    "VectorQuantizer",
]
