"""For tests: the page of `vgg19 serve` in a headless Chromium."""
import base64
import json
import os
import pathlib
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

WIDE, NARROW = (1440, 900), (320, 640)
PATIENCE_SECONDS = 30
FAULTS = (pathlib.Path(__file__).parent / 'faults.js').read_text()


class Browser:
    """One Chromium; a fresh page by open()."""

    def __init__(self, chromium, chromedriver, downloads):
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        # The browser must send no requests of its own, and resolve no name except the server's address.
        arguments = ['--headless=new', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run',
                     '--disable-background-networking', '--disable-component-update', '--disable-sync',
                     '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1']
        if os.geteuid() == 0:
            arguments.append('--no-sandbox')  # Chromium's sandbox refuses to run as root
        for argument in arguments:
            options.add_argument(argument)
        options.set_capability('goog:loggingPrefs', {'browser': 'ALL', 'performance': 'ALL'})
        self.driver = webdriver.Chrome(service=Service(chromedriver), options=options)
        self.driver.set_script_timeout(PATIENCE_SECONDS)
        self.command('Browser.setDownloadBehavior', behavior='allow', downloadPath=str(downloads))
        self.command('Network.enable')
        self.command('Network.setCacheDisabled', cacheDisabled=True)
        self.injected = None

    def quit(self):
        self.driver.quit()

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def open(self, url, size=WIDE, dark=False, **faults):
        """Opens a fresh page, and discards the log of earlier ones."""
        self.driver.get('about:blank')
        self.logged('browser'), self.logged('performance')
        if self.injected:
            self.command('Page.removeScriptToEvaluateOnNewDocument', identifier=self.injected)
        self.injected = None
        if faults:
            source = FAULTS.replace('FAULTS);', json.dumps(faults) + ');')
            self.injected = self.command('Page.addScriptToEvaluateOnNewDocument', source=source)['identifier']
        self.resize(size)
        self.prefer(dark)
        self.driver.get(url)
        self.until(lambda: self.script("return document.querySelectorAll('.card').length > 0"), 'cards')

    def resize(self, size):
        self.command('Emulation.setDeviceMetricsOverride', width=size[0], height=size[1], deviceScaleFactor=1,
                     mobile=size == NARROW)

    def prefer(self, dark=False, reduced_motion=False):
        self.command('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'},
            {'name': 'prefers-reduced-motion', 'value': 'reduce' if reduced_motion else 'no-preference'}])

    def logged(self, kind):
        return self.driver.get_log(kind)

    def requests(self):
        """The bytes received since open(), by requested address."""
        addresses, sizes = {}, {}
        for entry in self.logged('performance'):
            message = json.loads(entry['message'])['message']
            parameters = message['params']
            if message['method'] == 'Network.requestWillBeSent':
                addresses[parameters['requestId']] = parameters['request']['url']
            elif message['method'] == 'Network.loadingFinished':
                sizes[parameters['requestId']] = parameters['encodedDataLength']
        return {address: sizes.get(request, 0) for request, address in addresses.items()}

    # --- The page's parts ---

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.script('return document.querySelector(arguments[0]).textContent', selector).replace('\u00a0', ' ')

    def card(self, variant, part):
        return self.text(f'[data-variant="{variant}"] [data-part={part}]')

    def states(self):
        """The state of each card, by variant."""
        return dict(self.script("return [...document.querySelectorAll('.card')]"
                                '.map((card) => [card.dataset.variant, card.dataset.state])'))

    def status(self):
        return self.text('#status')

    # --- What people do ---

    def choose(self, path):
        self.find('#file').send_keys(str(path))

    def drop_or_paste(self, event, name, content, mime_type):
        """Sends a DragEvent or ClipboardEvent of that name, with a file."""
        self.script("""
            const [type, name, content, mime] = arguments;
            const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
            const files = new DataTransfer();
            files.items.add(new File([bytes], name, { type: mime }));
            const event = type === 'paste'
              ? new ClipboardEvent(type, { clipboardData: files, bubbles: true })
              : new DragEvent(type, { dataTransfer: files, bubbles: true, cancelable: true });
            document.body.dispatchEvent(event);""", event, name, base64.b64encode(content).decode(), mime_type)

    def press(self, *keys):
        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def tab_to(self, selector, most=60):
        """Presses Tab until that element has the focus, which must be visible."""
        for _ in range(most):
            self.press(Keys.TAB)
            if self.script('return document.activeElement.matches(arguments[0])', selector):
                assert self.focus_is_visible(), f'{selector} does not show that it has the focus'
                return
        raise AssertionError(f'Tab does not reach {selector}')

    def focus_is_visible(self):
        return self.script("""
            for (let node = document.activeElement; node; node = node.parentElement) {
              if (getComputedStyle(node).outlineStyle === 'solid') return true;
            }
            return false;""")

    # --- Waiting ---

    def until(self, predicate, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            value = predicate()
            if value:
                return value
            time.sleep(0.02)
        raise AssertionError(f'waited {PATIENCE_SECONDS} s for {what} without success; status: {self.status()}; '
                             f"problem: {self.text('#problem-text')}; cards: {self.states()}")

    def wait_for_results(self, image=None):
        """Waits until all cards are filled, for the image of that name if one is given."""
        def done():
            named = image is None or self.text('#picture-name').startswith(image)
            return named and set(self.states().values()) == {'done'} and ' done.' in self.status()
        self.until(done, f"results of {image or 'the image'}")

    def wait_for_problem(self):
        self.until(lambda: self.script("return !document.getElementById('problem').hidden"), 'a problem')
        return self.text('#problem-text')

    def screenshot(self, path, size=WIDE):
        """Takes a screenshot of the whole page."""
        height = self.script('return document.documentElement.scrollHeight')
        self.resize((size[0], height))
        time.sleep(0.2)  # lets charts be redrawn at this size
        self.driver.save_screenshot(str(path))
        self.resize(size)
