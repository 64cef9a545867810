"""Files of object stores, through pyarrow."""

from __future__ import annotations

import fcntl
import functools
import hashlib
import os
import pathlib
import tempfile
from typing import Optional, Tuple, Union

import pyarrow.fs

from vgg19 import BadInputError


@functools.lru_cache(maxsize=64)
def _store(place: str) -> pyarrow.fs.FileSystem:
    """Of "s3://bucket": a client is made once for each, not for each file."""
    filesystem, _ = pyarrow.fs.FileSystem.from_uri(place)
    return filesystem


def filesystem_of(
    path: str, filesystem: Optional[pyarrow.fs.FileSystem] = None
) -> Tuple[pyarrow.fs.FileSystem, str]:
    """Where a path or URI lies, and its name there. Options of a URI ("?region=...") go with `filesystem` instead."""
    if filesystem is not None:
        return filesystem, path.split("://", 1)[-1]
    if "://" not in path:
        return pyarrow.fs.LocalFileSystem(), os.path.abspath(path)
    scheme, rest = path.split("://", 1)
    if scheme == "file":
        return pyarrow.fs.LocalFileSystem(), rest
    return _store(f"{scheme}://{rest.split('/', 1)[0]}"), rest


def local_copy(path: Union[str, "os.PathLike[str]"]) -> str:
    """A local path for the path or URI of a file: itself, or that of a copy in the user's cache folder.

    A file is fetched once for each machine, and again when it has another time or size.
    """
    path = os.fspath(path)
    filesystem, key = filesystem_of(path)
    if isinstance(filesystem, pyarrow.fs.LocalFileSystem):
        return key
    info = filesystem.get_file_info(key)
    if info.type != pyarrow.fs.FileType.File:
        raise BadInputError(f"{path}: expected a file, found none")
    folder = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "vgg19", "fetched")
    folder.mkdir(parents=True, exist_ok=True)
    identity = hashlib.sha256(f"{path}\n{info.size}\n{info.mtime_ns}".encode()).hexdigest()
    target = folder / f"{identity[:32]}.safetensors"
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes, one fetches
        if not target.exists():
            _fetch(filesystem, key, target)
    return str(target)


def _fetch(filesystem: pyarrow.fs.FileSystem, key: str, target: pathlib.Path) -> None:
    descriptor, partial = tempfile.mkstemp(dir=target.parent, suffix=".partial")
    try:
        with os.fdopen(descriptor, "wb") as to, filesystem.open_input_stream(key) as source:
            while piece := source.read(1 << 22):
                to.write(piece)
        os.replace(partial, target)
    except BaseException:
        os.unlink(partial)
        raise
