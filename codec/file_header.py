"""What an .rtc file says of itself, without the model that coded it."""

from __future__ import annotations

from typing import NamedTuple, Union

from codec import container


class FileHeader(NamedTuple):
    """Everything in an .rtc file but the meaning of its payload."""

    medium: str  # "image" or "audio"
    version: int  # of the format
    fingerprint: bytes  # of the model that coded it
    coded: Union[container.CodedImage, container.CodedAudio]


def read_header(data: bytes) -> FileHeader:
    """Reads a whole .rtc file of any model, with the checks that decoding begins with.

    Raises:
        codec.ForeignFile: not an .rtc file, or of another format version.
        codec.DamagedFile: truncated or altered.
    """
    start = len(container.MAGIC) + 1
    fingerprint = data[start : start + container.FINGERPRINT_BYTES]
    kinds = {"image": container.CodedImage, "audio": container.CodedAudio}
    marker = data[start - 1] & container.CodedAudio.marker if len(data) >= start else 0
    medium = next(name for name, kind in kinds.items() if kind.marker == marker)
    coded = container.unpack(data, fingerprint, kinds[medium])
    return FileHeader(medium, data[start - 1] - marker, fingerprint, coded)
