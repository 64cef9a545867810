"""Tells the preloaded library (faults.c) which calls fail, and reads how many there were."""

import errno
import mmap
import pathlib
import struct

# In the order of `enum kind` in faults.h.
KINDS = ['allocation', 'open', 'read', 'write', 'sync', 'rename', 'map', 'status', 'remove', 'close', 'resize', 'list',
         'thread', 'accept', 'receive', 'send', 'wait', 'descriptor', 'process']
FAULT = struct.Struct('<4Qq')
EVERY = 2**64 - 1
SHORT = 0                                               # instead of an errno: transfers less than was asked for


class Faults:
    """One program's file of counters."""

    def __init__(self, library, path):
        self.library = pathlib.Path(library)
        self.path = pathlib.Path(path)
        self.path.write_bytes(bytes(FAULT.size * len(KINDS)))
        with self.path.open('r+b') as file:
            self.memory = mmap.mmap(file.fileno(), 0)

    @property
    def environment(self):
        return {'LD_PRELOAD': str(self.library), 'VGG19_FAULTS': str(self.path)}

    def calls(self, kind):
        return self._read(kind)[0]

    def failed(self, kind):
        """How many calls of that kind failed on demand."""
        return self._read(kind)[3]

    def fail(self, kind, first, count=1, error=errno.EIO):
        """Lets `count` calls fail, beginning with number `first` since the program's start, counted from 1."""
        offset = KINDS.index(kind) * FAULT.size
        self.memory[offset + 16:offset + 24] = struct.pack('<Q', min(EVERY, first + count - 1))
        self.memory[offset + 32:offset + 40] = struct.pack('<q', error)
        self.memory[offset + 8:offset + 16] = struct.pack('<Q', first)

    def fail_next(self, kind, after=1, count=1, error=errno.EIO):
        """The same while the program runs: counted from now on."""
        self.fail(kind, self.calls(kind) + after, count, error)

    def stop(self):
        """No call fails from now on."""
        for kind in KINDS:
            offset = KINDS.index(kind) * FAULT.size
            self.memory[offset + 8:offset + 16] = bytes(8)

    def close(self):
        self.memory.close()
        self.path.unlink()

    def _read(self, kind):
        return FAULT.unpack_from(self.memory, KINDS.index(kind) * FAULT.size)
