"""Distortions: the distance of a reconstruction from its original, one number per example."""

from distortion.ms_ssim import MultiScaleSsim, multiscale_ssim
from distortion.mse import MeanSquaredError
from distortion.spectrogram import MultiScaleMel, StftDistance
from distortion.waveform import WaveformError
from distortion.weighted_sum import WeightedSum

__all__ = [
    "MeanSquaredError",
    "MultiScaleMel",
    "MultiScaleSsim",
    "StftDistance",
    "WaveformError",
    "WeightedSum",
    "multiscale_ssim",
]
