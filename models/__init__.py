"""Analysis and synthesis transforms, and the autoencoder that joins the parts."""

from models.autoencoder import Autoencoder, Forward

__all__ = ["Autoencoder", "Forward"]
