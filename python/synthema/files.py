"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from synthema._core import Error

__all__ = ["whole_file"]


@contextlib.contextmanager
def whole_file(
    path: str | os.PathLike[str], what: str = "file", error: type[Error] = Error
) -> Iterator[Path]:
    """Give a path to write to, which takes the place of `path` when the block ends.

    A link is followed: what it names is replaced. If something fails, an older file stays as it was and
    nothing is left beside it.

    Raises
    ------
    Error
        Of the type given, with the path: where a folder, a pipe or a device is in its place, or the file
        cannot be written.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise error(f"{path}: This is a folder; name a file in it for the {what}.")
    if target.exists() and not target.is_file():
        raise error(f"{path}: This is a pipe or a device, which no {what} replaces; name a file.")
    unfinished = None
    try:
        handle, name = tempfile.mkstemp(".unfinished" + target.suffix, target.stem[:100] + ".", target.parent)
        os.close(handle)
        unfinished = Path(name)
        mode = target.stat().st_mode if target.exists() else 0o666 & ~_umask()
        yield unfinished
        unfinished.chmod(stat.S_IMODE(mode))
        unfinished.replace(target)
    except OSError as problem:
        # Not `strerror`, in which pyarrow wraps the reason in sentences of its own.
        reason = os.strerror(problem.errno) if problem.errno else "the system refuses it"
        raise error(f"{path}: The {what} could not be written: {reason}.") from None
    finally:
        if unfinished is not None:
            with contextlib.suppress(OSError):
                unfinished.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
