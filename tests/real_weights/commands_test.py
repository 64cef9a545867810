"""script/serve --real, script/bench --real, and commands without --model, on narrow weights."""

import contextlib
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

import narrow_models
from file_server import serving

TOOL = pathlib.Path(os.environ['VGG19_TOOL'])
SOURCE = pathlib.Path(__file__).parents[2]
PICTURE = SOURCE / 'converter/variants/assets/landscape.jpg'
VARIANTS = ['baseline', 'pruned', 'int8', 'pruned-int8', 'res160', 'int8-full', 'pruned-int8-full']
PATIENCE = 120


def in_cache(folder):
    """The files of variants, by name, with their times."""
    return {path.stem: path.stat().st_mtime_ns for path in folder.glob('vgg19/weights-*/*.safetensors')}


class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix='vgg19-test-')))
        narrow_models.write_weights(folder / 'weights')
        cls.weights = (folder / 'weights').read_bytes()
        cls.digest = hashlib.sha256(cls.weights).hexdigest()

    def setUp(self):
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix='vgg19-test-')))
        self.cache = self.folder / 'cache'
        self.file = self.cache / 'vgg19' / f'vgg19-{self.digest[:8]}.pth'
        self.environment = os.environ | {'XDG_CACHE_HOME': str(self.cache), 'VGG19_WEIGHTS_SHA256': self.digest[:10],
                                         'VGG19_WEIGHTS_URL': 'http://127.0.0.1:1/weights'}

    def tool(self, *words, **environment):
        return subprocess.run([TOOL, *map(str, words)], env=self.environment | environment, capture_output=True, text=True,
                              timeout=PATIENCE)


class WithoutModel(Case):
    def put_weights(self):
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(self.weights)

    def classified(self, *words):
        done = self.tool('classify', PICTURE, '--size', 64, '--json', *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [entry['class'] for entry in json.loads(done.stdout)[0]['top']], done.stderr

    def test_classify_imports_them_once(self):
        self.put_weights()
        found, errors = self.classified()
        model, = self.cache.glob('vgg19/weights-*/baseline.safetensors')
        self.assertIn(self.digest, model.parent.name)
        self.assertIn(f'importing {self.file} to {model}\n', errors)
        self.assertIn(f"without --model: torchvision's weights, {model}\n", errors)
        self.assertEqual(found, self.classified('-m', model)[0])

        self.file.unlink()  # which was needed only once
        again, errors = self.classified()
        self.assertEqual(again, found)
        self.assertNotIn('importing', errors)
        self.assertEqual(list(in_cache(self.cache)), ['baseline'])

    def test_a_given_model_comes_first(self):
        narrow_models.write_weights(self.folder / 'weights')
        self.assertEqual(self.tool('convert', self.folder / 'weights', '-o', self.folder / 'model').returncode, 0)
        _, errors = self.classified('-m', self.folder / 'model')
        self.assertEqual(errors, '')
        self.assertFalse(self.cache.exists())

    def test_other_commands_use_them_too(self):
        self.put_weights()
        for words in (('features', PICTURE, '--layers', 'fc7', '-o', self.folder / 'a.npy', '--size', 64),
                      ('compare', PICTURE, PICTURE),
                      ('stylize', PICTURE, PICTURE, '-o', self.folder / 'a.png', '--long-side', 32, '--steps', 1)):
            done = self.tool(*words)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('without --model:', done.stderr)
        for words in (('run', '--input', 'none', '--output', self.folder / 'b'), ('eval', '--data', 'none')):
            done = self.tool(*words)
            self.assertIn('without --model:', done.stderr)
            self.assertIn('none', done.stderr.splitlines()[-1])

    def test_without_weights_it_says_what_to_do(self):
        for command in ('classify', 'features', 'compare', 'stylize'):
            done = self.tool(command, PICTURE)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            for part in ('--model is required', 'script/fetch-weights', f"curl --location --create-dirs --output '{self.file}' "
                         f"'{self.environment['VGG19_WEIGHTS_URL']}'\n", 'vgg19 convert'):
                self.assertIn(part, done.stderr)
        for command in (('serve', '--real'), ('bench', '--real')):
            done = self.tool(*command)
            self.assertEqual((done.returncode, done.stdout), (2, ''))
            self.assertIn(str(self.file), done.stderr)
        done = self.tool('classify', PICTURE, XDG_CACHE_HOME='', HOME='')
        self.assertEqual(done.returncode, 2)
        self.assertIn('--model is required: there is no cache folder', done.stderr)

    def test_another_file_is_refused(self):
        self.file.parent.mkdir(parents=True)
        self.file.write_bytes(b'another file')
        done = self.tool('classify', PICTURE)
        self.assertEqual((done.returncode, done.stdout), (5, ''))
        self.assertIn(f'{self.file}: expected a SHA-256 that begins with {self.digest[:10]}, found ', done.stderr)

    def test_a_damaged_model_is_made_again(self):
        self.put_weights()
        expected, _ = self.classified()
        model, = self.cache.glob('vgg19/weights-*/baseline.safetensors')
        model.write_bytes(model.read_bytes()[:1000])
        found, errors = self.classified()
        self.assertEqual(found, expected)
        self.assertIn('importing', errors)

    def test_wrong_usage(self):
        for digits in ('dcbb', 'DCBB9E9D', '*' * 8, 'a' * 65):
            done = self.tool('classify', PICTURE, VGG19_WEIGHTS_SHA256=digits)
            self.assertEqual(done.returncode, 2)
            self.assertIn('VGG19_WEIGHTS_SHA256: expected 8 to 64', done.stderr)
        for words in (('serve', '--real', '--models', 'm'), ('bench', '--real', '--models', 'm'),
                      ('bench', '--real', '--weights', 'w')):
            done = self.tool(*words)
            self.assertEqual(done.returncode, 2)
            self.assertIn('exclude each other', done.stderr)

    def test_the_script_and_the_program_mean_the_same_file(self):
        script = (SOURCE / 'script/fetch-weights').read_text()
        digits = re.search(r'\$\{VGG19_WEIGHTS_SHA256:-(\w+)\}', script)[1]
        url = re.search(r'\$\{VGG19_WEIGHTS_URL:-(\S+)\}', script)[1].replace('$file', f'vgg19-{digits}.pth')
        done = self.tool('classify', PICTURE, VGG19_WEIGHTS_SHA256='', VGG19_WEIGHTS_URL='')
        self.assertIn(f"vgg19/vgg19-{digits}.pth' '{url}'\n", done.stderr)


class InOneStep(Case):
    """The scripts in a tree whose build is that of this test."""

    def setUp(self):
        super().setUp()
        if shutil.which('curl') is None:
            self.skipTest('curl is not installed')
        self.server = self.enterContext(serving(self.weights))
        self.tree = self.folder / 'tree'
        programs = self.tree / 'build/release/bin'
        stubs = self.folder / 'stubs'
        for folder in (programs, stubs):
            folder.mkdir(parents=True)
        shutil.copytree(SOURCE / 'script', self.tree / 'script')
        for name in ('vgg19', 'vgg19-bench'):
            (programs / name).symlink_to(TOOL.parent / name)
        for stub in (self.tree / 'script/bootstrap', stubs / 'cmake'):
            stub.write_text('#!/bin/sh\n')
            stub.chmod(0o755)
        self.environment |= {'VGG19_WEIGHTS_URL': self.server.url, 'PATH': f'{stubs}:{os.environ["PATH"]}'}

    def start(self, script, *words):
        return subprocess.Popen([self.tree / 'script' / script, *words], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def test_bench_measures_their_variants(self):
        process = self.start('bench', '--real', '--variants', 'baseline,int8', '--min-time', '0.01', '--size', '64',
                             '--format', 'json')
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 0, errors)
        report = json.loads(output)
        self.assertEqual([variant['id'] for variant in report['variants']], ['baseline', 'int8'])
        self.assertEqual(report['settings']['weights'], str(self.file))
        self.assertFalse(any('seeded' in note for note in report.get('notes', [])))
        self.assertEqual(sorted(in_cache(self.cache)), ['baseline', 'int8'])

    def served(self):
        """The variants that script/serve --real serves, whether they are seeded, and its messages."""
        process = self.start('serve', '--real', '--port', '0')
        address = process.stdout.readline().strip()
        try:
            with urllib.request.urlopen(f'{address}v1/models', timeout=PATIENCE) as answer:
                served = json.loads(answer.read())
        finally:
            os.killpg(process.pid, signal.SIGTERM)
            _, errors = process.communicate(timeout=PATIENCE)
        return [model['id'] for model in served['models']], served['seeded'], errors

    def kill_when(self, condition):
        """Starts script/serve --real, and kills it, and what it has started, when this is true."""
        process = self.start('serve', '--real', '--port', '0')
        end = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), end)
            self.assertIsNone(process.poll())
            time.sleep(0.005)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def test_serve_goes_on_wherever_it_was_interrupted(self):
        self.server.hold_after = len(self.weights) // 2
        part = pathlib.Path(f'{self.file}.part')
        self.kill_when(lambda: part.exists() and part.stat().st_size > 0)
        self.server.hold_after = None
        self.kill_when(self.file.exists)
        self.assertEqual(len(self.server.ranges), 2)
        self.assertIsNotNone(self.server.ranges[1])
        for variant in ('baseline', 'pruned', 'int8-full'):
            self.kill_when(lambda variant=variant: variant in in_cache(self.cache))
        kept = in_cache(self.cache)

        ids, seeded, errors = self.served()
        self.assertEqual((ids, seeded), (VARIANTS, False), errors)
        self.assertEqual(len(self.server.ranges), 2)  # nothing was fetched twice
        made = in_cache(self.cache)
        self.assertEqual({name: made[name] for name in kept}, kept)  # nor made twice
        with contextlib.suppress(StopIteration):
            self.fail(next(self.cache.glob('vgg19/**/*.tmp')))
        ids, _, errors = self.served()
        self.assertEqual(ids, VARIANTS)
        self.assertNotIn('making', errors)


if __name__ == '__main__':
    unittest.main()
