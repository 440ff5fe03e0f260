"""Interchangeable quantizers: ``configs/quantizer/NAME.yaml`` is ``quantizers/NAME.py``.

Those without a file of that name are combinations of others. What all are made of is in
``quantizers.base``.
"""

from quantizers.annealed_noise import KumaraswamyNoise
from quantizers.base.contract import Indices, Integers, Quantized, Quantizer, ScalarSurrogate
from quantizers.base.scalar import ScalarQuantizer
from quantizers.diveq import DirectionalVectorQuantizer
from quantizers.finite_scalar import FiniteScalarQuantizer
from quantizers.finite_scalar_perturbation import FiniteScalarPerturbation
from quantizers.fourier import Fourier
from quantizers.gaussian_noise import GaussianNoise
from quantizers.gumbel import Gumbel
from quantizers.identity import Identity
from quantizers.identity_gradient import IdentityGradient
from quantizers.lattice import LatticeQuantizer
from quantizers.learned_step import LearnedStep
from quantizers.lookup_free import LookupFreeQuantizer
from quantizers.ramp import Ramp
from quantizers.residual_vector import ResidualVectorQuantizer
from quantizers.scaled_straight_through import ScaledStraightThrough
from quantizers.sigmoid import Sigmoid
from quantizers.sinusoidal import Sinusoidal
from quantizers.soft_gradient import SoftGradient
from quantizers.soft_round import SoftRound
from quantizers.soft_round_noise import SoftRoundNoise
from quantizers.soft_round_twice import SoftRoundTwice
from quantizers.soft_to_hard import SoftToHardQuantizer
from quantizers.stanh import StanhQuantizer
from quantizers.stochastic_round import StochasticRound
from quantizers.straight_through import StraightThrough
from quantizers.trellis import TrellisQuantizer
from quantizers.uniform_noise import UniformNoise
from quantizers.universal import UniversalQuantizer
from quantizers.vector import VectorQuantizer

__all__ = [
    "DirectionalVectorQuantizer",
    "FiniteScalarPerturbation",
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
    "ScaledStraightThrough",
    "Sigmoid",
    "Sinusoidal",
    "SoftGradient",
    "SoftRound",
    "SoftRoundNoise",
    "SoftRoundTwice",
    "SoftToHardQuantizer",
    "StanhQuantizer",
    "StochasticRound",
    "StraightThrough",
    "TrellisQuantizer",
    "UniformNoise",
    "UniversalQuantizer",
    "VectorQuantizer",
]
