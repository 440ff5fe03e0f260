"""How far a reconstruction is from its original: one number an image, to be minimised."""

from distortion.ms_ssim import MultiScaleSsim, multiscale_ssim
from distortion.mse import MeanSquaredError

__all__ = ["MeanSquaredError", "MultiScaleSsim", "multiscale_ssim"]
