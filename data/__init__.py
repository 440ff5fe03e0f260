"""Images: sources of training patches and of whole images to evaluate on."""

from data.image_files import read_image
from data.image_folder import ImageFolder
from data.photos import Photos, PhotosImages
from data.source import ImageSource, NamedImage
from data.tfds_images import TfdsImages

__all__ = [
    "ImageFolder",
    "ImageSource",
    "NamedImage",
    "Photos",
    "PhotosImages",
    "TfdsImages",
    "read_image",
]
