"""Images and sounds: sources of what a model trains on, and of whole files to evaluate on."""

from data.audio_folder import AudioFolder
from data.audio_source import AudioSource, NamedRecording
from data.image_folder import ImageFolder
from data.photos import Photos, PhotosImages
from data.source import ImageSource, NamedImage, Source
from data.speaker_split import SpeakerSplit
from data.tfds_audio import TfdsAudio
from data.tfds_images import TfdsImages
from data.tones import Tones, TonesAudio
from signals.audio_files import read_audio
from signals.image_files import read_image

__all__ = [
    "AudioFolder",
    "AudioSource",
    "ImageFolder",
    "ImageSource",
    "NamedImage",
    "NamedRecording",
    "Photos",
    "PhotosImages",
    "Source",
    "SpeakerSplit",
    "TfdsAudio",
    "TfdsImages",
    "Tones",
    "TonesAudio",
    "read_audio",
    "read_image",
]
