"""User errors end a command with one line and exit status 2."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Iterator

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from assembly.explanations import explain

USER_ERRORS = (ValueError, OSError, MemoryError, HydraException, OmegaConfBaseException)
"""What wrong values, unreadable files and those too large raise."""


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Reports wrong values, unreadable files and Ctrl-C in one line on standard error.

    So it does TensorFlow's own errors: a full disk, a run directory that was deleted.
    HYDRA_FULL_ERROR=1 in the environment shows the traceback instead.
    """
    try:
        yield
    except Exception as error:
        is_expected = isinstance(error, USER_ERRORS) or _is_of_tensorflow(error)
        if os.environ.get("HYDRA_FULL_ERROR") == "1" or not is_expected:
            raise
        print(f"error: {' '.join(explain(error).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)


def _is_of_tensorflow(error: Exception) -> bool:
    tensorflow = sys.modules.get("tensorflow")  # Not imported for this: it takes seconds.
    return tensorflow is not None and isinstance(error, tensorflow.errors.OpError)
