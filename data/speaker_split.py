"""Splits by speaker, for datasets that have no test split of their own."""

from __future__ import annotations

import re
from typing import Dict, List, Optional, Sequence, Union

import numpy as np

Speakers = Union[str, Sequence[str]]


class SpeakerSplit:
    """Holds out all recordings of some speakers, so that a codec is tested on unknown voices.

    Attributes:
        key: feature of the dataset that identifies the speaker.
    """

    def __init__(
        self,
        *,
        key: str,
        validation: Optional[Speakers],
        test: Optional[Speakers],
        pattern: Optional[str] = None,
    ):
        r"""Checks the arguments.

        Args:
            key: feature that identifies the speaker: text or a number.
            validation: speaker or speakers to validate on; null: none.
            test: speaker or speakers to test on; null: none.
            pattern: regular expression, searched for in the feature's text; its first group is the
                speaker, for example ``_(\w+)_`` in "5_george_32.wav". Null is the whole text.

        Raises:
            ValueError: the pattern is invalid or has no group; a speaker is in both splits.
        """
        self.key = key
        try:
            self._pattern = re.compile(pattern or r"(?s)(.*)")
        except re.error as error:
            raise ValueError(f"speakers.pattern={pattern!r} is not valid: {error}.") from error
        if not self._pattern.groups:
            raise ValueError(f"speakers.pattern={pattern!r} must have a group: the speaker.")
        self._held_out = {"validation": _listed(validation), "test": _listed(test)}
        both = set(self._held_out["validation"]) & set(self._held_out["test"])
        if both:
            raise ValueError(f"speakers.validation and speakers.test share {min(both)!r}.")

    def members(self, texts: Sequence[str]) -> Dict[str, np.ndarray]:
        """A mask of the records in each split, bool ``[records]``, from the feature of each record.

        Raises:
            ValueError: the pattern finds no speaker in a text, or a speaker has no record.
        """
        speakers = np.array([self._speaker_of(text) for text in texts], object)
        known = sorted(set(speakers))
        masks = {}
        for split, names in self._held_out.items():
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"speakers.{split}={name!r} is no speaker of {self.key!r}, which has "
                        f"{', '.join(known[:20])}{', ...' if len(known) > 20 else ''}."
                    )
            masks[split] = np.isin(speakers, names)
        masks["train"] = ~(masks["validation"] | masks["test"])
        return masks

    def describe(self, split: str) -> str:
        """Log text: the speakers of a split."""
        if split == "train":
            return "the other speakers"
        return f"speaker {', '.join(self._held_out[split]) or 'none'}"

    def _speaker_of(self, text: str) -> str:
        found = self._pattern.search(text)
        if not found:
            raise ValueError(
                f"speakers.pattern={self._pattern.pattern!r} finds no speaker in {text!r}."
            )
        return found[1]


def _listed(speakers: Optional[Speakers]) -> List[str]:
    if isinstance(speakers, (str, int)):
        return [str(speakers)]
    return [str(speaker) for speaker in speakers or ()]
