#!/usr/bin/env python3
"""Fails if an object compiled for one instruction set defines a function outside its own namespace.

    check.py NM ISA OBJECT… [ISA OBJECT…]…

Such a function (for example std::min, if the compiler did not inline it) may be in several objects, and the linker keeps
only one copy: then an AVX2 machine may run AVX-512 code. Each ISA on the command line is followed by its objects.
"""
import pathlib
import subprocess
import sys

CODE = 'TtWwi'  # nm's types; a lower-case T is a local function


def defined_functions(nm, path):
    lines = subprocess.run([nm, '--defined-only', '--demangle', path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    for line in lines:
        fields = line.split(None, 2)
        if len(fields) == 3 and fields[1] in CODE and fields[1] != 't':
            yield fields[2]


def main():
    nm, *rest = sys.argv[1:]
    isa, checked, wrong = None, 0, []
    for word in rest:
        if not word.endswith('.o'):
            isa = word
            continue
        names = list(defined_functions(nm, word))
        wrong += [f'{pathlib.Path(word).parent.name}/{pathlib.Path(word).name}: {name}: expected to stand in '
                  f'vgg19::kernels::{isa}' for name in names if f'vgg19::kernels::{isa}::' not in name.split('(')[0]]
        checked += len(names)
    print('\n'.join(wrong) or f'{checked} functions, each in the namespace of its ISA')
    sys.exit(1 if wrong or checked == 0 else 0)


main()
