"""Writing a file whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


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
