"""Starts `vgg19 serve` with narrow models, and talks to it."""

import contextlib
import http.client
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import tempfile
import time

import narrow_models

TOOL = os.environ['VGG19_TOOL']
# Sanitizers make everything slower, so timeouts are longer with them.
PATIENCE = 60


class Client:
    """Sends requests to a server on this machine."""

    def __init__(self, port):
        self.port = port
        self.host = f'127.0.0.1:{port}'

    def request(self, method, path, body=None, headers=None):
        """The answer to one request on its own connection."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=PATIENCE)
        try:
            headers = headers or {}
            connection.request(method, path, body, headers, encode_chunked='Transfer-Encoding' in headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, headers=None):
        return self.request('GET', path, headers=headers)

    def post(self, path, body, content_type='image/jpeg', headers=None):
        return self.request('POST', path, body, {'Content-Type': content_type, **(headers or {})})

    def connect(self):
        connection = socket.create_connection(('127.0.0.1', self.port), timeout=PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def raw(self, data):
        """The status and the text of the answer to these bytes; 0 without an answer."""
        with self.connect() as connection:
            connection.sendall(data)
            text = received(connection)
        return (int(text.split()[1]) if text else 0), text

    def metric(self, name):
        for line in self.get('/metrics').text.splitlines():
            if line.startswith(name + ' '):
                return float(line.split()[1])
        raise KeyError(name)


class Server(Client):
    """The running program and the address that it printed."""

    def __init__(self, models, *options, port=0, environment=None):
        self.process = subprocess.Popen([TOOL, 'serve', '--models', str(models), '--port', str(port), *options],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                        env={**os.environ, **(environment or {})})
        self.address = self.process.stdout.readline().strip()
        if not self.address.startswith('http://127.0.0.1:'):
            raise RuntimeError(f'no address: {self.address!r}, {self.process.stderr.read()!r}')
        super().__init__(int(self.address.rstrip('/').rsplit(':', 1)[1]))

    def resident_bytes(self):
        pages = pathlib.Path(f'/proc/{self.process.pid}/statm').read_text().split()[1]
        return int(pages) * os.sysconf('SC_PAGESIZE')

    def threads(self):
        return len(os.listdir(f'/proc/{self.process.pid}/task'))

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def end(self):
        """Kills the server if it is still running."""
        self.process.kill()
        self.process.communicate()

    def stop(self, sent=signal.SIGTERM):
        """Stops the server; returns the exit code and its messages."""
        self.process.send_signal(sent)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


def received(connection):
    """Reads until the other side closes."""
    data = b''
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            data += part
    return data.decode('latin-1')


@contextlib.contextmanager
def models():
    with tempfile.TemporaryDirectory(prefix='vgg19-test-') as folder:
        models_folder = pathlib.Path(folder) / 'models'
        models_folder.mkdir()
        narrow_models.make(TOOL, models_folder)
        yield models_folder


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.01)


def pixels(width=40, height=30):
    """A picture as a PPM."""
    values = bytes((x * 5 + y * channel * 3) % 256 for y in range(height) for x in range(width)
                   for channel in range(1, 4))
    return f'P6 {width} {height} 255\n'.encode() + values


def flat_jpeg(width, height):
    """A grey JPEG with the standard's tables; the sides are multiples of 8."""
    blocks = width // 8 * (height // 8)
    head = (b'\xff\xd8' + b'\xff\xdb\0\x43\0' + bytes([8] * 64) +
            b'\xff\xc0\0\x0b\x08' + struct.pack('>HH', height, width) + b'\x01\x01\x11\0' +
            b'\xff\xda\0\x08\x01\x01\0\0\x3f\0')
    # A block is 00 (no difference from the previous DC) and 1010 (end of block). Four blocks fill three
    # bytes.
    return head + b'\x28\xa2\x8a' * (blocks // 4) + b'\xff\xd9'


def form(content, name='file', file_name='a.jpg', boundary='~~edge~~'):
    """A form with a file, and its content type."""
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n\r\n'
    body = head.encode() + content + f'\r\n--{boundary}--\r\n'.encode()
    return body, f'multipart/form-data; boundary={boundary}'


def events(text):
    """Parses server-sent events into number, name and data."""
    found = []
    for block in text.split('\n\n'):
        fields = dict(line.split(': ', 1) for line in block.splitlines() if not line.startswith(':'))
        if 'event' in fields:
            found.append((int(fields['id']), fields['event'], json.loads(fields['data'])))
    return found
