"""script/fetch-weights, with curl and with wget, against a server on this machine."""

import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from file_server import serving

SCRIPT = pathlib.Path(__file__).parents[2] / 'script/fetch-weights'
CONTENT = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
NEEDED = ('bash', 'sha256sum', 'mkdir', 'mv', 'rm', 'sed', 'flock')
PATIENCE = 60


class Fetching(unittest.TestCase):
    """With curl."""
    downloader = 'curl'

    def setUp(self):
        if shutil.which(self.downloader) is None:
            self.skipTest(f'{self.downloader} is not installed')
        self.folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory(prefix='vgg19-test-')))
        self.file = self.folder / f'vgg19-{DIGEST[:8]}.pth'
        self.part = pathlib.Path(f'{self.file}.part')
        self.server = self.enterContext(serving(CONTENT))
        tools = self.folder / 'tools'  # the only programs that the script sees
        tools.mkdir()
        for name in (*NEEDED, self.downloader):
            (tools / name).symlink_to(shutil.which(name))
        self.environment = {'PATH': str(tools), 'VGG19_WEIGHTS_URL': self.server.url,
                            'VGG19_WEIGHTS_SHA256': DIGEST, 'HOME': '/nonexistent'}

    def start(self, *arguments, **environment):
        return subprocess.Popen([shutil.which('bash'), SCRIPT, *arguments], env=self.environment | environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)

    def fetch(self, *arguments, **environment):
        process = self.start(*(arguments or [self.folder]), **environment)
        output, errors = process.communicate(timeout=PATIENCE)
        return process.returncode, output, errors

    def check_fetched(self, answer):
        code, output, errors = answer
        self.assertEqual((code, output), (0, f'{self.file}\n'), errors)
        self.assertEqual(self.file.read_bytes(), CONTENT)
        self.assertFalse(self.part.exists())

    def test_fetches_once(self):
        self.check_fetched(self.fetch())
        self.check_fetched(self.fetch())
        self.assertEqual(self.server.ranges, [None])
        self.assertEqual(sorted(path.name for path in self.folder.iterdir()), ['tools', self.file.name])

    def test_without_a_folder_the_cache_folder_is_used(self):
        self.folder, cache = self.folder / 'vgg19', self.folder
        self.file = self.folder / self.file.name
        self.check_fetched(self.fetch('', XDG_CACHE_HOME=str(cache)))
        code, _, errors = self.fetch('', XDG_CACHE_HOME='relative', HOME='')
        self.assertNotEqual(code, 0)
        self.assertIn('HOME', errors)

    def test_goes_on_after_an_interruption(self):
        self.server.stop_after = 300_000
        code, output, errors = self.fetch()
        if self.downloader == 'curl':  # wget goes on by itself
            self.assertEqual((code, output), (1, ''), errors)
            self.assertIn(f'run this again to go on with {self.part}', errors)
            self.assertEqual(self.part.read_bytes(), CONTENT[:300_000])
            self.server.stop_after = None
            self.check_fetched(self.fetch())
        self.assertEqual(self.server.ranges[:2], [None, 'bytes=300000-'])

    def test_goes_on_after_it_was_killed(self):
        self.server.hold_after = 300_000
        process = self.start(self.folder)
        self.assertTrue(self.server.holding.wait(PATIENCE))
        end = time.monotonic() + PATIENCE
        while not self.part.exists() or self.part.stat().st_size == 0:
            self.assertLess(time.monotonic(), end, 'nothing arrives')
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        self.server.hold_after = None
        begun = self.part.stat().st_size
        self.check_fetched(self.fetch())
        self.assertEqual(self.server.ranges, [None, f'bytes={begun}-'])

    def test_starts_anew_if_the_server_sends_no_parts(self):
        self.server.sends_parts = False
        self.part.write_bytes(CONTENT[:1000])
        self.check_fetched(self.fetch())

    def test_a_complete_part_is_not_fetched_again(self):
        self.part.write_bytes(CONTENT)
        self.check_fetched(self.fetch())
        self.assertEqual(self.server.ranges, [])

    def test_a_part_that_is_too_long_does_not_last(self):
        self.part.write_bytes(CONTENT + b'more')
        answer = self.fetch()
        if self.downloader == 'wget':  # which takes it for complete
            self.assertIn('wrong SHA-256', answer[2])
            answer = self.fetch()
        self.check_fetched(answer)

    def test_without_an_answer_there_is_nothing_to_go_on_with(self):
        self.server.has_file = False
        for environment in ({}, {'VGG19_WEIGHTS_URL': 'http://127.0.0.1:1/weights.pth'}):  # the second refuses connections
            code, output, errors = self.fetch(**environment)
            self.assertEqual((code, output), (1, ''), errors)
            self.assertIn('nothing came from http://127.0.0.1', errors)
            self.assertNotIn('.part', errors)
            self.assertFalse(self.part.exists())
        self.part.write_bytes(CONTENT[:1000])
        self.assertIn(f'run this again to go on with {self.part}', self.fetch()[2])

    def test_another_file_is_refused_and_removed(self):
        self.server.content = b'another file'
        code, output, errors = self.fetch()
        self.assertEqual((code, output), (1, ''))
        self.assertIn(f'wrong SHA-256 (it should begin with {DIGEST}); it was removed', errors)
        self.assertFalse(self.part.exists() or self.file.exists())
        self.file.write_bytes(b'another file')
        code, output, errors = self.fetch()
        self.assertEqual((code, output), (1, ''))
        self.assertIn(f'{self.file} is there, but', errors)

    def test_two_at_a_time(self):
        self.server.hold_after = 300_000
        first = self.start(self.folder)
        self.assertTrue(self.server.holding.wait(PATIENCE))
        second = self.start(self.folder)
        self.assertIn('waiting for another process', second.stderr.readline())
        self.server.hold_after = None
        os.killpg(first.pid, signal.SIGKILL)
        first.communicate()
        output, errors = second.communicate(timeout=PATIENCE)
        self.check_fetched((second.returncode, output, errors))

    def test_wrong_usage(self):
        for arguments, environment in ((('--no-such-option',), {}), (('a', 'b'), {}),
                                       ((self.folder,), {'VGG19_WEIGHTS_SHA256': 'dcbb'}),
                                       ((self.folder,), {'VGG19_WEIGHTS_SHA256': '*' * 8})):
            self.assertEqual(self.fetch(*arguments, **environment)[0], 2)
        self.assertEqual(self.server.ranges, [])


class FetchingWithWget(Fetching):
    downloader = 'wget'


if __name__ == '__main__':
    unittest.main()
