"""Writing a file whole or not at all, or for its owner alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Literal, cast


def open_private(path: Path, mode: Literal["wb", "ab"]) -> BinaryIO:
    """Open a file for writing that only its owner may read, if it is made here."""
    return cast(BinaryIO, open(path, mode, opener=lambda name, flags: os.open(name, flags, 0o600)))


def replace_file(path: Path, content: bytes | str, *, mode: int = 0o600) -> None:
    """Put `content` under `path` so that a reader, or a crash, meets the old or the new whole.

    Several processes may do so at once; the last one wins.

    Args:
        path: in a folder that exists.
        content: text is written as UTF-8.
        mode: permissions of the file, less the process's umask; its owner's alone where left out.

    Raises:
        OSError: it could not be written; nothing is left behind.
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
