"""Finds the pictures of a folder that are most like one: retrieval.py MODEL PICTURE FOLDER

Compares the values of fc7 by the cosine between them. Pictures are read and run on as many threads as there are
CPUs, each with a session of its own; all sessions share the model's weights.
"""

import os
import pathlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy

import vgg19


def main(model, picture, folder):
    opened = vgg19.Model.open(model)
    thread = threading.local()

    def features(path):
        if not hasattr(thread, "session"):
            thread.session = vgg19.Session(opened, outputs="fc7", threads=1)
        try:
            values = thread.session.features(path)[0]
        except vgg19.BadInputError as error:
            print(error, file=sys.stderr)
            return None
        return values / max(float(numpy.linalg.norm(values)), 1e-12)

    paths = sorted(path for path in pathlib.Path(folder).rglob("*") if path.is_file())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(features, [picture, *paths]))
    if found[0] is None:
        sys.exit(1)
    ranked = [(float(found[0] @ values), path) for values, path in zip(found[1:], paths) if values is not None]
    for cosine, path in sorted(ranked, key=lambda entry: -entry[0])[:10]:
        print(f"{cosine:.4f}  {path}")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
