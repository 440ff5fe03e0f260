"""What all classical codecs have in common."""

from __future__ import annotations

import abc
import contextlib
import dataclasses
from typing import Any, ClassVar, Dict, Iterator, Mapping, NamedTuple, Sequence, Tuple

import numpy as np

from evaluation.media import Medium


class CannotCode(ValueError):
    """A format cannot hold a file, as WebP cannot hold a side above 16383 pixels."""


class Coded(NamedTuple):
    """An image or a recording in coded form.

    Attributes:
        files: whole files; several where a format holds fewer channels than the recording has.
        packet_bytes: total size, of audio without containers.
    """

    files: Tuple[bytes, ...]
    packet_bytes: int

    @property
    def file_bytes(self) -> int:
        """Total size of the files."""
        return sum(map(len, self.files))


@dataclasses.dataclass(frozen=True)
class ClassicalCodec(abc.ABC):
    """A file format with one integer quality setting.

    Attributes:
        name: in tables and figures.
        lowest: setting of the smallest files.
        highest: setting of the largest files.
        ladder: settings of its rate-distortion curve, rising; dense at the rates of learned codecs.
        options: of the encoder, besides the setting.
    """

    medium: ClassVar[Medium]
    has_container: ClassVar[bool] = False  # Whether files hold more than packets.

    name: str
    lowest: int
    highest: int
    ladder: Tuple[int, ...]
    options: Mapping[str, Any]

    @abc.abstractmethod
    def encode(self, file: Any, setting: int) -> Coded:
        """Codes a named image or recording.

        Raises:
            ValueError: a required package is not installed.
        """

    @abc.abstractmethod
    def decode(self, files: Sequence[bytes], original: Any) -> np.ndarray:
        """Decodes ``Coded.files`` to what metrics take: uint8 pixels or float32 samples.

        Args:
            files: contents of the files.
            original: the named image or recording; audio takes its length and sample rate, which
                not every format keeps.

        Raises:
            ValueError: a required package is not installed.
        """

    @contextlib.contextmanager
    def coding(self, file: Any) -> Iterator[None]:
        """Makes one line of whatever an encoder or decoder raises for a named file.

        Raises:
            CannotCode: names codec, file and cause.
        """
        try:
            yield
        except Exception as error:  # Foreign libraries raise anything, from OSError to SystemError.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise CannotCode(f"{self.name} cannot code {file.name}: {reason}") from error

    @abc.abstractmethod
    def versions(self) -> Dict[str, str]:
        """Name -> version of the libraries that code."""

    def require(self) -> None:  # noqa: B027 (most codecs require nothing)
        """Raises a ValueError that names the required package if it is not installed."""

    @property
    def description(self) -> str:
        """One line: the codec, its libraries and the encoder's options."""
        versions = ", ".join(f"{name} {version}" for name, version in self.versions().items())
        options = ", ".join(f"{key}={value}" for key, value in self.options.items())
        return f"{self.name} through {versions}" + (f"; {options}" if options else "")
