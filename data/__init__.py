"""Sources of images and audio: pieces to train on, whole files to evaluate on."""

from data.audio_folder import AudioFolder
from data.image_folder import ImageFolder
from data.photos import Photos, PhotosImages
from data.source import AudioSource, ImageSource, Source
from data.speaker_split import SpeakerSplit
from data.tfds_audio import TfdsAudio
from data.tfds_images import TfdsImages
from data.tones import Tones, TonesAudio

__all__ = [
    "AudioFolder",
    "AudioSource",
    "ImageFolder",
    "ImageSource",
    "Photos",
    "PhotosImages",
    "Source",
    "SpeakerSplit",
    "TfdsAudio",
    "TfdsImages",
    "Tones",
    "TonesAudio",
]
