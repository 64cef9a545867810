"""The command vgg19 links no library that brings many others along: those are loaded when they are needed.

  needed.py READELF TOOL
"""

import re
import subprocess
import sys

LOADED_WHEN_NEEDED = ('hdf5', 'curl')

readelf, tool = sys.argv[1:]
section = subprocess.run([readelf, '-d', tool], capture_output=True, text=True, check=True).stdout
needed = re.findall(r'NEEDED.*\[(.*)\]', section)
assert any(name.startswith('libc.so') for name in needed), f'found no libraries in {section}'
wrong = [name for name in needed if any(part in name for part in LOADED_WHEN_NEEDED)]
assert not wrong, f'expected these to be loaded when they are needed, found them linked: {wrong}'
