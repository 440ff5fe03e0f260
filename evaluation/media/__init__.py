"""Images and audio: one `Medium` for each, which code that measures, tabulates or draws asks.

(What training shows of a medium is in `training.monitor` and `training.log_columns`.)
"""

from typing import Any, Mapping, Optional

from evaluation.media.audio import AUDIO
from evaluation.media.image import IMAGE
from evaluation.media.medium import Medium, Row

__all__ = ["AUDIO", "IMAGE", "MEDIA", "Medium", "Row", "medium_of"]

MEDIA = {medium.name: medium for medium in (IMAGE, AUDIO)}
"""Name -> medium."""


def medium_of(quantities: Mapping[str, Any]) -> Optional[Medium]:
    """The medium of results or of a row, recognized by its rate; None if there is no rate."""
    return next((medium for medium in MEDIA.values() if medium.rate in quantities), None)
