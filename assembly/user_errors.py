"""User errors end a command with one line and exit status 2."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Iterator

from hydra.errors import InstantiationException
from omegaconf.errors import OmegaConfBaseException

USER_ERRORS = (ValueError, OSError, InstantiationException, OmegaConfBaseException)
"""What wrong values and unreadable files raise."""


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Reports wrong values, unreadable files and Ctrl-C in one line on standard error.

    HYDRA_FULL_ERROR=1 in the environment shows the traceback instead.
    """
    try:
        yield
    except USER_ERRORS as error:
        if os.environ.get("HYDRA_FULL_ERROR") == "1":
            raise
        cause = error
        while isinstance(cause, InstantiationException) and cause.__cause__ is not None:
            cause = cause.__cause__
        print(f"error: {' '.join(str(cause).split())}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
