"""The files that an evaluation measures, and the name that its results bear."""

from __future__ import annotations

import functools
import itertools
import pathlib
from typing import Any, Iterator, Optional

from evaluation.media import MEDIA
from evaluation.results import Dataset, read_results


class Selection:
    """The files of a split, or the first few of them.

    Attributes:
        source: of the files.
    """

    def __init__(self, source: Any, split: str, limit: Optional[int] = None):
        """Takes the source and the most files of the split to measure; None: all."""
        self.source, self._split, self._limit = source, split, limit
        self._medium = MEDIA[source.medium]

    def files(self) -> Iterator[Any]:
        """The named images or recordings, one at a time."""
        return itertools.islice(self._medium.whole_files(self.source, self._split), self._limit)

    @functools.cached_property
    def is_empty(self) -> bool:
        """Whether the split has no files."""
        return next(self.files(), None) is None

    @functools.cached_property
    def is_part(self) -> bool:
        """Whether the split has more files than these."""
        if self._limit is None:
            return False
        files = self._medium.whole_files(self.source, self._split)
        return next(itertools.islice(files, self._limit, None), None) is not None

    @functools.cached_property
    def sha256(self) -> str:
        """The digest that results on these files have; reads all of them."""
        return Dataset.from_digests("", [*map(self._medium.digest, self.files())]).sha256

    def name_in(self, results: pathlib.Path, name: str) -> str:
        """What to call results of these files in a folder, so that they replace no others.

        Args:
            results: folder of a run's results.
            name: of the data, the stages and the refinement.

        Returns:
            ``<name>``, for some of the files ``<name>-first<limit>``; with the first digits of the
            digest where the folder holds results of other files under that name.
        """
        if self.is_part:
            name = f"{name}-first{self._limit}"
        try:
            other = read_results(results / f"{name}.json").dataset
        except (OSError, ValueError):
            return name  # None, or damaged ones.
        same = other is None or other.sha256 == self.sha256
        return name if same else f"{name}-{self.sha256[:8]}"
