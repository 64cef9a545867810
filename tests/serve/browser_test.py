"""Drives the page of `vgg19 serve` in a headless Chromium.

VGG19_TOOL is the program, VGG19_SCREENSHOTS a folder for screenshots. The exit code is 77 where
Chromium, its driver or Selenium is not installed.
"""

import json
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import unittest
import zlib

SKIPPED = 77
MOST_PAGE_BYTES = 120_000

try:
    from selenium.webdriver.common.keys import Keys
except ImportError:
    print('skipped: Selenium is not installed (Debian: python3-selenium)')
    sys.exit(SKIPPED)
CHROMIUM, CHROMEDRIVER = shutil.which('chromium'), shutil.which('chromedriver')
if not CHROMIUM or not CHROMEDRIVER:
    print('skipped: Chromium or its driver is not installed (Debian: chromium chromium-driver)')
    sys.exit(SKIPPED)

import served  # noqa: E402
from page import NARROW, Browser  # noqa: E402

SCREENSHOTS = pathlib.Path(os.environ['VGG19_SCREENSHOTS'])
JPEG = pathlib.Path(__file__).resolve().parents[2] / 'engine/image/testdata/rgb.jpg'
IDS = ['baseline', 'pruned', 'int8', 'pruned-int8', 'res160', 'int8-full', 'pruned-int8-full']


def complete(models):
    """Adds the variants with all layers in INT8, and accuracies with intervals."""
    noise = models.parent / 'noise'
    noise.mkdir()
    (noise / 'a.ppm').write_bytes(served.pixels())
    for source in ('baseline', 'pruned'):
        target = 'int8-full' if source == 'baseline' else f'{source}-int8-full'
        subprocess.run([served.TOOL, 'quantize', models / f'{source}.safetensors', '-o', models / f'{target}.safetensors',
                        '--scope', 'all', '--calib', noise], check=True, capture_output=True)
    accuracies = [{'images': 2000, 'top1': 0.72 - 0.01 * place, 'top5': 0.9,
                   'top1_interval': [0.70 - 0.01 * place, 0.74 - 0.01 * place]} for place in range(len(IDS))]
    variants = [{'id': name, 'accuracy': accuracy} for name, accuracy in zip(IDS, accuracies)]
    (models / 'report.json').write_text(json.dumps({'variants': variants}))


def png(width, height):
    """A PNG with a gradient."""
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    rows = b''.join(b'\0' + bytes(value for x in range(width) for value in (x * 255 // width, y * 255 // height, 90))
                    for y in range(height))
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


class PageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.models = cls.enterClassContext(served.models())
        complete(cls.models)
        cls.downloads, cls.png = cls.models.parent / 'downloads', cls.models.parent / 'gradient.png'
        cls.png.write_bytes(png(90, 60))
        cls.server = served.Server(cls.models, '--max-upload', '1')
        cls.addClassCleanup(cls.server.stop)
        cls.page = Browser(CHROMIUM, CHROMEDRIVER, cls.downloads)
        cls.addClassCleanup(cls.page.quit)

    def open(self, **options):
        self.expected_errors = 0
        self.page.open(self.server.address, **options)

    def tearDown(self):
        """After every test: no requests to other servers, and only expected messages in the console."""
        for address in self.page.requests():
            self.assertTrue(address.startswith((self.server.address, 'blob:', 'data:')), address)
        errors = [entry for entry in self.page.logged('browser') if entry['level'] in ('SEVERE', 'WARNING')]
        self.assertEqual(len(errors), self.expected_errors, errors)

    def sample(self):
        self.page.find('#sample').click()
        self.page.wait_for_results('sample.jpg')

    # --- Loading ---

    def test_the_page_is_light_and_quick(self):
        times = []
        for _ in range(5):
            self.open()
            # The cards exist when the page is complete; the resource that was loaded last gives the time.
            times.append(self.page.script("""
                const loads = performance.getEntriesByType('resource').map((entry) => entry.responseEnd);
                return Math.max(performance.getEntriesByType('navigation')[0].loadEventEnd, ...loads);"""))
        loaded = self.page.requests()
        self.assertGreater(len(loaded), 10)
        print(f'\nthe page: {sum(loaded.values())} bytes in {len(loaded)} files, headers included, '
              f'complete after {min(times):.0f} ms at best, {sorted(times)[2]:.0f} ms in the middle')
        self.assertLessEqual(sum(loaded.values()), MOST_PAGE_BYTES)

    def test_before_a_picture_all_that_is_known_is_there(self):
        self.open()
        self.assertEqual(list(self.page.states()), IDS)
        self.assertEqual(set(self.page.states().values()), {'idle'})
        self.assertIn('INT8', self.page.card('int8', 'about'))
        self.assertIn('GMAC', self.page.card('baseline', 'work'))
        self.assertEqual(self.page.card('res160', 'input'), '160 × 160 px')
        self.assertEqual(len(self.page.all('#size-chart .segment')), 7)
        self.assertEqual(len(self.page.all('#accuracy-chart .whisker')), 7)
        self.assertIn('72.0 %', self.page.text('#accuracy-chart svg desc'))
        self.assertFalse(self.page.find('#seeded').is_displayed())
        self.assertFalse(self.page.find('#measure-start').is_enabled())

    def test_seeded_weights_are_announced(self):
        self.open(seeded=True)
        self.assertIn('predictions are meaningless', self.page.find('#seeded').text)

    # --- Pictures ---

    def test_a_png_and_a_jpeg_fill_all_cards(self):
        self.open(together=True)
        for image in (self.png, JPEG):
            self.page.choose(image)
            self.page.wait_for_results(image.name)
            for variant in IDS:
                self.assertEqual(len(self.page.all(f'[data-variant="{variant}"] .top li')), 3)
                self.assertRegex(self.page.card(variant, 'top'), r'[a-z]{3}.*\d %')
                self.assertRegex(self.page.card(variant, 'time'), r'\d ms')
                self.assertRegex(self.page.card(variant, 'speedup'), r'\d\.\d\d ×')
            self.assertRegex(self.page.card('int8', 'agreement'), r'^(same|other) top-1, top-5 \d+ %, cosine 0\.\d{4}|1\.0')
        self.assertIn('in parallel', self.page.card('int8', 'time'))
        self.assertIn('in parallel', self.page.card('int8', 'speedup'))
        self.assertIn('while the variants shared the cores', self.page.text('#latency-chart .note'))

    def test_a_picture_is_shown_with_its_size(self):
        self.open()
        self.page.choose(self.png)
        self.page.wait_for_results('gradient.png')
        self.assertEqual(self.page.text('#picture-name').split(', ')[1], '90 × 60 px')
        self.assertTrue(self.page.find('#preview').is_displayed())
        self.assertEqual(self.page.find('#preview').get_attribute('naturalWidth'), '90')

    def test_the_sample(self):
        self.open()
        self.sample()
        self.assertEqual(self.page.find('#preview').get_attribute('alt'), 'The picture: sample.jpg')

    def test_dropped_and_pasted_pictures(self):
        self.open()
        for event in ('drop', 'paste'):
            self.page.drop_or_paste(event, f'{event}.png', self.png.read_bytes(), 'image/png')
            self.page.wait_for_results(f'{event}.png')

    def test_a_broken_file_shows_its_error(self):
        self.open()
        self.expected_errors = 1  # the browser logs the answer 415
        self.page.drop_or_paste('drop', 'notes.txt', b'these are words', 'text/plain')
        self.assertGreater(len(self.page.wait_for_problem()), 10)
        self.assertEqual(self.page.find('#problem').get_attribute('role'), 'alert')
        self.assertFalse(self.page.find('#retry').is_displayed())
        self.assertEqual(set(self.page.states().values()), {'idle'})
        self.assertFalse(self.page.find('#history').is_displayed())

    def test_a_picture_that_ends_early_shows_its_error(self):
        self.open()
        self.page.drop_or_paste('drop', 'half.png', self.png.read_bytes()[:-40], 'image/png')
        self.assertGreater(len(self.page.wait_for_problem()), 10)
        self.assertEqual(set(self.page.states().values()), {'idle'})
        self.sample()  # the next picture still works
        self.assertFalse(self.page.find('#problem').is_displayed())

    def test_a_photograph_beyond_the_limit_is_not_sent(self):
        self.open()
        self.page.drop_or_paste('drop', 'large.jpg', bytes(1_000_001), 'image/jpeg')
        self.assertIn('up to 1.0 MB', self.page.wait_for_problem())
        self.assertFalse([address for address in self.page.requests() if '/v1/jobs' in address])

    def test_names_are_text(self):
        self.open()
        name = '<img src=x onerror="document.title=1">.png'
        self.page.drop_or_paste('drop', name, self.png.read_bytes(), 'image/png')
        self.page.wait_for_results(name)
        self.assertIn(name, self.page.text('#history-list'))

    # --- Rounds, history, download ---

    def test_rounds_give_times_that_compare(self):
        self.open()
        self.sample()
        self.page.find('#rounds').clear()
        self.page.find('#rounds').send_keys('4')
        self.page.find('#measure-start').click()
        self.page.until(lambda: 'one by one' not in self.page.status() and ' done.' in self.page.status(), 'rounds')
        self.assertEqual(len(self.page.all('#latency-chart .point')), 4 * 7)
        self.assertEqual(len(self.page.all('#latency-chart .middle')), 7)
        for variant in IDS:
            self.assertIn('median of 4', self.page.card(variant, 'time'))
            self.assertNotIn('in parallel', self.page.card(variant, 'time'))
            self.assertNotIn('in parallel', self.page.card(variant, 'speedup'))
        self.page.screenshot(SCREENSHOTS / 'wide.png')
        self.check_download()

    def check_download(self):
        self.page.find('#download').click()
        path = self.downloads / 'sample.vgg19.json'
        self.page.until(path.exists, 'the download')
        results = json.loads(path.read_text())
        self.assertEqual(results['picture']['name'], 'sample.jpg')
        self.assertEqual([variant['id'] for variant in results['variants']], IDS)
        for variant in results['variants']:
            self.assertEqual(len(variant['one_by_one']['rounds_ms']), 4)
            self.assertEqual(variant['one_by_one']['runs'], 4)
            self.assertGreater(len(variant['one_by_one']['layers']), 18)
            self.assertIn('in_parallel', variant['all_at_once'])
            shown = float(self.page.card(variant['id'], 'time').split(' ms')[0].replace(',', ''))
            self.assertAlmostEqual(shown, variant['one_by_one']['median_ms'], delta=0.01 * shown + 0.01)

    def test_rounds_can_be_cancelled(self):
        self.open(endless=True)
        self.sample()
        self.page.find('#measure-start').click()
        self.page.until(lambda: 'Round 5 of 5' in self.page.text('#progress-text'), 'the last round')
        self.assertFalse(self.page.find('#measure-start').is_displayed())
        self.page.find('#cancel').click()
        self.assertEqual(self.page.status(), 'Cancelled.')
        self.assertFalse(self.page.find('#progress').is_displayed())
        self.sample()

    def test_the_history_shows_results_again(self):
        self.open()
        self.page.choose(self.png)
        self.page.wait_for_results('gradient.png')
        first = self.page.card('baseline', 'top')
        self.page.choose(JPEG)
        self.page.wait_for_results(JPEG.name)
        self.assertNotEqual(self.page.card('baseline', 'top'), first)
        buttons = self.page.all('#history-list button')
        self.assertEqual(len(buttons), 2)
        self.assertEqual(buttons[0].get_attribute('aria-current'), 'true')
        buttons[1].click()
        self.assertEqual(self.page.card('baseline', 'top'), first)
        self.assertIn('gradient.png', self.page.text('#picture-name'))
        self.assertEqual(buttons[1].get_attribute('aria-current'), 'true')

    def test_the_history_is_bounded(self):
        self.open()
        for place in range(14):
            self.page.drop_or_paste('drop', f'{place}.png', self.png.read_bytes(), 'image/png')
            self.page.wait_for_results(f'{place}.png')
        names = [name.text for name in self.page.all('#history-list .name')]
        self.assertEqual(names, [f'{place}.png' for place in range(13, 1, -1)])

    def test_layers_are_shown_and_told(self):
        self.open()
        self.sample()
        self.assertGreaterEqual(len(self.page.all('#layers-chart .segment')), 7 * 19)
        self.assertIn('Block 5', self.page.text('#layers-chart svg desc'))
        self.assertGreaterEqual(len(self.page.all('#layers-chart tbody tr')), 19)
        self.assertEqual(len(self.page.all('#layers-chart thead th')), 8)

    # --- People ---

    def test_the_keyboard_is_enough(self):
        self.open()
        self.page.tab_to('#file')
        self.page.tab_to('#sample')
        self.page.press(Keys.ENTER)
        self.page.wait_for_results('sample.jpg')
        self.page.tab_to('#measure-start')
        self.page.press(Keys.ENTER)
        self.page.until(lambda: 'median of 5' in self.page.card('baseline', 'time'), 'rounds')
        self.page.until(lambda: self.page.script('return document.activeElement.id') == 'measure-start', 'the focus')
        self.page.tab_to('#rounds')
        self.page.tab_to('#download')
        self.page.tab_to('#history-list button')
        self.page.tab_to('summary')
        self.page.press(Keys.SPACE)
        self.assertTrue(self.page.script('return document.activeElement.parentElement.open'))
        self.page.tab_to('footer a')
        self.page.tab_to('#theme')  # round again
        before = self.page.script('return getComputedStyle(document.body).colorScheme')
        self.page.press(Keys.ENTER)
        self.assertNotEqual(self.page.script('return getComputedStyle(document.body).colorScheme'), before)

    def test_every_control_and_picture_has_a_name(self):
        self.open()
        self.sample()
        nodes = self.page.command('Accessibility.getFullAXTree')['nodes']
        named = {'button', 'link', 'image', 'img', 'spinbutton', 'textbox', 'region', 'table', 'progressbar'}
        nameless = [node for node in nodes if not node['ignored'] and node['role']['value'] in named
                    and not node.get('name', {}).get('value')]
        self.assertEqual(nameless, [])
        roles = [node['role']['value'] for node in nodes if not node['ignored']]
        for landmark in ('main', 'banner', 'contentinfo', 'status'):
            self.assertEqual(roles.count(landmark), 1, landmark)

    def test_a_phone_needs_no_scrolling_sideways(self):
        self.open(size=NARROW)
        self.sample()
        self.page.script("for (const details of document.querySelectorAll('details')) details.open = true")
        self.assertEqual(self.page.script('return document.documentElement.scrollWidth'), NARROW[0])
        self.page.script("for (const details of document.querySelectorAll('details')) details.open = false")
        self.page.screenshot(SCREENSHOTS / 'narrow.png', NARROW)

    def test_dark_and_light(self):
        self.open(dark=True)
        self.sample()
        background = 'return getComputedStyle(document.documentElement).backgroundColor'
        dark = self.page.script(background)
        self.assertEqual(self.page.find('#theme').get_attribute('aria-pressed'), 'true')
        self.page.screenshot(SCREENSHOTS / 'dark.png')
        self.page.find('#theme').click()
        light = self.page.script(background)
        brightness = [sum(map(int, colour.strip('rgba()').split(',')[:3])) for colour in (dark, light)]
        self.assertLess(brightness[0], 3 * 64)
        self.assertGreater(brightness[1], 3 * 192)

    def test_nothing_moves_for_those_who_asked_for_it(self):
        self.open()
        self.page.prefer(reduced_motion=True)
        self.page.script("document.querySelector('.card').dataset.state = 'waiting'")
        self.assertEqual(self.page.script("return getComputedStyle(document.querySelector('.waiting')).animationName"), 'none')

    # --- What goes wrong ---

    def test_a_variant_fails_alone(self):
        self.open(failing='int8')
        self.page.find('#sample').click()
        self.page.until(lambda: '1 failed' in self.page.status(), 'the end')
        states = self.page.states()
        self.assertEqual(states.pop('int8'), 'failed')
        self.assertEqual(set(states.values()), {'done'})
        self.assertEqual(self.page.card('int8', 'waiting'), 'Failed: out of <b>memory</b>')

    def test_a_full_queue_is_told_with_a_retry(self):
        self.open(busy=1)
        self.page.find('#sample').click()
        self.assertIn('busy', self.page.wait_for_problem())
        self.page.until(lambda: self.page.find('#retry').is_enabled(), 'the time to retry')
        self.page.find('#retry').click()
        self.page.wait_for_results('sample.jpg')

    def test_a_stream_that_breaks_is_told_with_a_retry(self):
        self.open(broken=True)
        self.expected_errors = 1  # the browser logs the answer 404
        self.page.find('#sample').click()
        self.assertIn('connection was lost', self.page.wait_for_problem())
        self.assertTrue(self.page.find('#retry').is_enabled())

    def test_a_server_that_is_gone_is_told_with_a_retry(self):
        server = served.Server(self.models)
        self.expected_errors = 1  # the browser logs that there is no answer
        self.page.open(server.address)
        self.assertEqual(server.stop()[0], 0)
        self.page.find('#sample').click()
        self.assertIn('does not answer', self.page.wait_for_problem())
        again = served.Server(self.models, port=server.port)
        self.addCleanup(again.stop)
        self.page.find('#retry').click()
        self.page.wait_for_results('sample.jpg')
        self.page.requests()  # not to the server of the other tests


if __name__ == '__main__':
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    unittest.main(verbosity=2)
