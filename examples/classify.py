"""Prints the most probable classes of photographs: classify.py MODEL PICTURE...

MODEL is a file that `vgg19 convert` has written, or - for the published weights in the cache folder.
"""

import sys

import vgg19


def main(model, *pictures):
    session = vgg19.Session(vgg19.Model.open(None if model == "-" else model))
    for picture in pictures:
        try:
            predictions = session.classify(picture)
        except vgg19.BadInputError as error:
            print(error, file=sys.stderr)
            continue
        print(picture)
        for prediction in predictions:
            name = prediction.label or f"class {prediction.class_index}"
            print(f"  {prediction.probability:7.2%}  {name}")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
