#!/usr/bin/env python3
"""Fails where the library that other programs embed has what only training, pruning and conversion need.

    embedded.py NM LIBRARY OTHER…

LIBRARY may define nothing that one of the OTHER libraries defines too, and none of the functions below: they compute
gradients of weights, products of large batches and sums over samples. Gradients with respect to a layer's input are not
among them.
"""
import re
import subprocess
import sys

NOT_EMBEDDED = re.compile(r'weights_gradient|winograd_gradient|column_products|matrix_product|vgg19::converter::')
SHARED = 'TDBR'  # of nm: what is defined once in a program; weak symbols are inline functions that anybody may have


def symbols(nm, path):
    lines = subprocess.run([nm, '--defined-only', '--extern-only', '--demangle', path], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    fields = [line.split(None, 2) for line in lines]
    return {(name[2], name[1]) for name in fields if len(name) == 3}


def main():
    nm, library, *others = sys.argv[1:]
    embedded = symbols(nm, library)
    own = {name for name, kind in embedded if kind in SHARED}
    wrong = [f'{library}: {name}: expected in no library that others embed' for name, _ in sorted(embedded)
             if NOT_EMBEDDED.search(name.split('(')[0])]
    for other in others:
        theirs = {name for name, kind in symbols(nm, other) if kind in SHARED}
        if not theirs:
            wrong.append(f'{other}: expected symbols, found none')
        wrong += [f'{library}: {name}: expected in {other} alone' for name in sorted(own & theirs)]
    print('\n'.join(wrong) or f'{len(own)} symbols, none of training')
    sys.exit(1 if wrong or not own else 0)


main()
