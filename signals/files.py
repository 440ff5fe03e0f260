"""Files appear whole or not at all."""

from __future__ import annotations

import os
import pathlib
import tempfile
from typing import Union


def write_atomically(path: Union[str, os.PathLike], data: bytes) -> None:
    """Writes under a temporary name in the same folder, then renames; makes missing folders."""
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes private files; a result should be readable as any other new file is.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
