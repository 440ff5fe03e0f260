"""Interchangeable quantizers: a rate slot and a decoder slot, each filled by a surrogate."""

from quantizers.contract import Quantized, ScalarSurrogate
from quantizers.identity import Identity
from quantizers.noise import UniformNoise
from quantizers.scalar import ScalarQuantizer
from quantizers.sinusoids import Fourier, Sinusoidal
from quantizers.soft_round import SoftRound
from quantizers.staircase import Ramp, Sigmoid
from quantizers.straight_through import IdentityGradient, StraightThrough

__all__ = [
    "Fourier",
    "Identity",
    "IdentityGradient",
    "Quantized",
    "Ramp",
    "ScalarQuantizer",
    "ScalarSurrogate",
    "Sigmoid",
    "Sinusoidal",
    "SoftRound",
    "StraightThrough",
    "UniformNoise",
]
