"""The command-line tool: `python -m vgg19`, and the command `vgg19` of an installed package."""

import os
import signal
import sys


def main() -> None:
    """Becomes the program, so that signals, standard streams and exit codes are its own. Does not return."""
    program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "bin", "vgg19")
    for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and so would the program
        signal.signal(getattr(signal, name), signal.SIG_DFL)
    try:
        os.execv(program, ["vgg19", *sys.argv[1:]])
    except OSError as error:
        sys.exit(f"vgg19: {program}: cannot be started: {error.strerror}; install the package again")


if __name__ == "__main__":
    main()
