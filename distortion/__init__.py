"""Distortions: the distance of a reconstruction from its original, one number per example."""

from distortion.loudness import LoudnessDistance
from distortion.ms_ssim import MultiScaleSsim, multiscale_ssim
from distortion.mse import MeanSquaredError
from distortion.shaped_error import ShapedError
from distortion.spectrogram import MultiScaleMel, StftDistance
from distortion.waveform import WaveformError
from distortion.weighted_sum import WeightedSum

__all__ = [
    "LoudnessDistance",
    "MeanSquaredError",
    "MultiScaleMel",
    "MultiScaleSsim",
    "ShapedError",
    "StftDistance",
    "WaveformError",
    "WeightedSum",
    "multiscale_ssim",
]
