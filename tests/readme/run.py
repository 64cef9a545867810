"""Follows the README as it stands: runs every block of code in it, in order, in this clone, with narrow weights instead of
torchvision's and a photograph of the project's own: run.py

A block of `sh` is run by bash, one of `python` by Python. One of another language is the file that the line before it
names in backquotes. A server is stopped once it has answered. A block behind a comment <!-- not run: REASON --> is
counted and named. What the blocks leave behind in the clone is removed.
"""

import contextlib
import hashlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from typing import NamedTuple

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(SOURCE / 'tests/serve'), str(SOURCE / 'tests/real_weights')]

import narrow_models  # noqa: E402
from file_server import serving  # noqa: E402

PICTURE = SOURCE / 'converter/variants/assets/landscape.jpg'
MADE = ['photo.jpg', 'vgg19.safetensors', 'app', 'venv']  # by the reader of the README; git ignores them
BLOCK = re.compile(r'^```(\w+)\n(.*?)^```$', re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r'<!-- not run: (.*?) -->\s*\Z', re.DOTALL)
NAMED = re.compile(r'`([^`\n]+)`[^`\n]*\n+\Z')
SERVER = re.compile(r'^script/serve\b', re.MULTILINE)
PYTHON = SOURCE / 'venv/bin/python'
PATIENCE = 900


class Block(NamedTuple):
    line: int
    language: str
    text: str
    file: str          # that it is; '' for code that is run
    left_out: str      # why, or ''


def blocks(text):
    for match in BLOCK.finditer(text):
        before = text[:match.start()]
        reason, name = NOT_RUN.search(before), NAMED.search(before)
        language = match[1]
        is_file = language not in ('sh', 'python')
        if is_file and not reason and not name:
            sys.exit(f'README.md:{before.count(chr(10)) + 1}: expected the name of this {language} file on the line before it')
        yield Block(before.count('\n') + 1, language, match[2], name[1] if is_file and name else '', reason[1] if reason else '')


def serve(command, environment):
    """Starts a server, gives it the photograph, and stops it."""
    server = subprocess.Popen(['bash', '-euo', 'pipefail', '-c', command], cwd=SOURCE, env=environment, stdout=subprocess.PIPE,
                              text=True, start_new_session=True)
    try:
        for line in server.stdout:
            print(f'  {line}', end='')
            if address := re.search(r'http://[\d.]+:\d+/', line):
                break
        else:
            raise RuntimeError('expected a server that says its address')
        request = urllib.request.Request(address[0] + 'v1/classify', PICTURE.read_bytes(), {'Content-Type': 'image/jpeg'})
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            return answer.read()
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate(timeout=PATIENCE)


def run(block, environment):
    if block.file:
        (SOURCE / block.file).parent.mkdir(exist_ok=True)
        (SOURCE / block.file).write_text(block.text)
        return b'a file'
    if SERVER.search(block.text):
        return serve(block.text, environment)
    command = ['bash', '-euo', 'pipefail', '-c', block.text] if block.language == 'sh' else [PYTHON, '-c', block.text]
    done = subprocess.run(command, cwd=SOURCE, env=environment, stdout=subprocess.PIPE, timeout=PATIENCE, check=False)
    print('  ' + done.stdout.decode().replace('\n', '\n  ').rstrip())
    if done.returncode:
        raise RuntimeError(f'expected exit code 0, found {done.returncode}')
    return done.stdout


@contextlib.contextmanager
def the_readers_files():
    taken = [name for name in MADE if (SOURCE / name).exists()]
    if taken:
        sys.exit(f'expected a clone without {", ".join(taken)}, which the README tells to make')
    shutil.copy(PICTURE, SOURCE / 'photo.jpg')
    try:
        yield
    finally:
        for name in MADE:
            path = SOURCE / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)


def main():
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix='vgg19-test-')))
        narrow_models.write_weights(folder / 'weights')
        weights = (folder / 'weights').read_bytes()
        server = stack.enter_context(serving(weights))
        stack.enter_context(the_readers_files())
        environment = os.environ | {
            'HOME': str(folder), 'XDG_CACHE_HOME': str(folder / 'cache'),
            # What script/wheel has built, with the same compiler, options and Python, so that pip need not build it again.
            'SKBUILD_BUILD_DIR': 'build/wheel-{}.{}'.format(*sys.version_info), 'SKBUILD_CMAKE_DEFINE': 'VGG19_WARNINGS_AS_ERRORS=ON',
            'CC': os.environ.get('CC', 'cc'), 'CXX': os.environ.get('CXX', 'c++'),
            'PATH': f'{pathlib.Path(sys.executable).parent}:{os.environ["PATH"]}',
            'VGG19_WEIGHTS_URL': server.url, 'VGG19_WEIGHTS_SHA256': hashlib.sha256(weights).hexdigest()}
        follow(environment)


def follow(environment):
    counts = {'run': 0, 'not run': 0}
    for block in blocks((SOURCE / 'README.md').read_text()):
        where = f'README.md:{block.line} ({block.file or block.language})'
        counts['not run' if block.left_out else 'run'] += 1
        if block.left_out:
            print(f'{where}: not run: {block.left_out}')
            continue
        begin = time.monotonic()
        print(f'{where}:', flush=True)
        try:
            run(block, environment)
        except (RuntimeError, OSError, subprocess.TimeoutExpired) as error:
            sys.exit(f'{where}: {error}')
        print(f'  {time.monotonic() - begin:.1f} s', flush=True)
    print(f'README.md: {counts["run"]} blocks run, {counts["not run"]} not run')


if __name__ == '__main__':
    main()
