"""Requests that are malformed, too long, too slow, from foreign pages or too many; and how the server stops."""

import json
import os
import pathlib
import signal
import socket
import struct
import time
import unittest
import zlib

import served

IMAGE = served.pixels()


def setUpModule():
    global models, stack
    stack = served.contextlib.ExitStack()
    models = stack.enter_context(served.models())


def tearDownModule():
    stack.close()


def huge_png():
    """A header that declares 30,000 × 30,000 pixels, with almost no data."""
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    return (b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 30000, 30000, 8, 2, 0, 0, 0)) +
            chunk(b'IDAT', zlib.compress(bytes(1000))) + chunk(b'IEND', b''))


class RefusalTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = served.Server(models, '--max-upload', '1', '--timeout', '1', '--variants', 'res160')

    @classmethod
    def tearDownClass(cls):
        code, _ = cls.server.stop()
        assert code == 0, code

    def setUp(self):
        self.host = f'Host: {self.server.host}\r\n'

    def tearDown(self):
        self.assertEqual(self.server.get('/healthz').status, 200)

    def refused(self, status, code, answer):
        self.assertEqual((answer.status, answer.json['error']['code']), (status, code))
        self.assertIn('Content-Security-Policy', answer.headers)
        return answer

    def refused_raw(self, status, code, data):
        found, text = self.server.raw(data)
        self.assertEqual(found, status, data[:80])
        self.assertIn(f'"code":"{code}"', text)
        self.assertIn('Content-Security-Policy: ', text)
        self.assertIn('Connection: close', text)

    def get(self, line='GET /healthz HTTP/1.1', fields='', host=None):
        return f'{line}\r\n{self.host if host is None else host}{fields}\r\n'.encode()

    def test_unknown_paths_and_methods(self):
        for path in '/x', '/v1/', '/v1/jobs//events', '/../etc/passwd', '/%00', '/v1/jobs/a/b/events', '/V1/models':
            self.refused(404, 'not_found', self.server.get(path))
        self.assertIsInstance(self.server.get('/v2/x').json['error'], str)
        answer = self.refused(405, 'method_not_allowed', self.server.get('/v1/classify'))
        self.assertEqual(answer.headers['Allow'], 'POST')
        for method in 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'BREW':
            answer = self.refused(405, 'method_not_allowed', self.server.request(method, '/healthz'))
            self.assertEqual(answer.headers['Allow'], 'GET, HEAD')

    def test_malformed_requests(self):
        for data in (b'\r\n\r\nGET\r\n\r\n', b'GET /\r\n\r\n', b'GET / HTTP/1.1\n\n', b'\x16\x03\x01\x02\x00\x01',
                     b'GET  / HTTP/1.1\r\n\r\n', b'GET http://a/ HTTP/1.1\r\n\r\n', b'G\x00T / HTTP/1.1\r\n\r\n',
                     self.get(fields='X : 1\r\n'), self.get(fields=' folded\r\n'), self.get(fields='X\r\n'),
                     self.get(fields='X: a\x00b\r\n'), self.get(fields='X: a\rb\r\n'), self.get(fields='Host: b\r\n'),
                     self.get(fields='Content-Length: 1\r\nContent-Length: 2\r\n'),
                     self.get(fields='Content-Length: +1\r\n'), self.get(fields='Content-Length: 0x1\r\n'),
                     self.get(fields='Content-Length: 99999999999999999999\r\n'),
                     self.get(fields='Content-Length: 1\r\nTransfer-Encoding: chunked\r\n')):
            self.refused_raw(400, 'bad_request', data)
        self.refused_raw(400, 'bad_request', b'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n')
        self.refused_raw(501, 'not_implemented', self.get(fields='Transfer-Encoding: gzip, chunked\r\n'))
        self.refused_raw(505, 'version_not_supported', b'GET / HTTP/2.0\r\n\r\n')

    def test_long_heads(self):
        self.refused_raw(414, 'uri_too_long', self.get(f'GET /{"a" * 3000} HTTP/1.1'))
        self.refused_raw(431, 'headers_too_large', self.get(fields=f'X: {"a" * 9000}\r\n'))
        self.refused_raw(431, 'headers_too_large', self.get(fields='X: a\r\n' * 2000))

    def test_bodies_too_long_or_of_no_known_length(self):
        self.refused(413, 'payload_too_large', self.server.post('/v1/classify', bytes(1_000_001)))
        chunks = (bytes(100_000) for _ in range(30))
        self.refused(413, 'payload_too_large', self.server.request(
            'POST', '/v1/classify', chunks, {'Content-Type': 'image/png', 'Transfer-Encoding': 'chunked'}))
        post = 'POST /v1/classify HTTP/1.1'
        kind = 'Content-Type: image/png\r\n'
        self.refused_raw(411, 'length_required', self.get(post, kind + 'Connection: close\r\n'))
        for chunk in 'x\r\n', '-1\r\nabc', 'ffffffffffffffffff\r\nabc', '5\r\nabc\r\n0\r\n\r\n':
            status, _ = self.server.raw(self.get(post, kind + 'Transfer-Encoding: chunked\r\n') + chunk.encode())
            self.assertIn(status, (400, 408, 413), chunk)

    def test_expectations(self):
        fields = f'Content-Type: image/png\r\nContent-Length: {len(IMAGE)}\r\n'
        post = 'POST /v1/classify HTTP/1.1'
        with self.server.connect() as connection:
            connection.sendall(self.get(post, fields + 'Expect: 100-continue\r\nConnection: close\r\n'))
            self.assertEqual(connection.recv(1000), b'HTTP/1.1 100 Continue\r\n\r\n')
            connection.sendall(IMAGE)
            self.assertTrue(served.received(connection).startswith('HTTP/1.1 200 '))
        too_long = 'Content-Type: image/png\r\nContent-Length: 9000000\r\nExpect: 100-continue\r\n'
        self.refused_raw(413, 'payload_too_large', self.get(post, too_long))
        self.refused_raw(417, 'expectation_failed', self.get(post, fields + 'Expect: miracles\r\n'))

    def test_wrong_content(self):
        for kind in 'text/html', 'application/json', 'image', '':
            self.refused(415, 'unsupported_media_type', self.server.post('/v1/classify', IMAGE, kind))
        self.refused(415, 'unsupported_media_type', self.server.post('/v1/classify', IMAGE, 'image/png',
                                                                     {'Content-Encoding': 'gzip'}))
        forms = [(b'', 'multipart/form-data'), (b'--a\r\n', 'multipart/form-data; boundary=a'),
                 (b'--a--', 'multipart/form-data; boundary=a'), (b'x', 'multipart/form-data; boundary=a'),
                 (b'--a\r\n\r\nx\r\n--a\r\n\r\ny\r\n--a--', 'multipart/form-data; boundary=a')]
        for body, kind in forms:
            self.refused(400, 'bad_request', self.server.post('/v1/classify', body, kind))

    def test_an_image_above_the_cap_is_refused_by_its_header(self):
        before = self.server.resident_bytes()
        answer = self.refused(400, 'bad_image', self.server.post('/v1/classify', huge_png()))
        self.assertIn('30000', answer.json['error']['message'])
        self.assertLess(self.server.resident_bytes(), before + 50_000_000)

    def test_foreign_hosts_and_origins(self):
        for name in 'evil.example', f'evil.example:{self.server.port}', 'localhost', '127.0.0.1:1', \
                f'localhost:{self.server.port}.evil.example', f'[::1]x:{self.server.port}':
            self.refused(403, 'forbidden_host', self.server.get('/v1/models', {'Host': name}))
        for name in 'localhost', '127.0.0.1', '[::1]', 'LOCALHOST':
            self.assertEqual(self.server.get('/', {'Host': f'{name}:{self.server.port}'}).status, 200)
        for origin in 'http://evil.example', 'null', f'https://{self.server.host}', 'http://127.0.0.1', '':
            self.refused(403, 'forbidden_origin', self.server.post('/v1/classify', IMAGE,
                                                                   headers={'Origin': origin}))
        own = {'Origin': f'http://{self.server.host}'}
        self.assertEqual(self.server.post('/v1/classify', IMAGE, headers=own).status, 200)

    def test_slow_senders_are_cut_off(self):
        begin = time.monotonic()
        post = self.get('POST /v1/classify HTTP/1.1', 'Content-Type: image/png\r\nContent-Length: 100\r\n')
        for data in b'GET /heal', self.get()[:-2], post, post + b'P6':
            self.refused_raw(408, 'request_timeout', data)
        self.assertLess(time.monotonic() - begin, served.PATIENCE)
        with self.server.connect() as connection:  # sending single bytes must not extend it
            begin = time.monotonic()
            connection.settimeout(0.1)
            text = b''
            for byte in b'GET /healthz HTTP/1.1\r\n' + b'X: y\r\n' * 20:
                connection.sendall(bytes([byte]))
                with served.contextlib.suppress(TimeoutError):
                    text = connection.recv(1000)
                    break
            self.assertTrue(text.startswith(b'HTTP/1.1 408 '), text)
            self.assertGreater(time.monotonic() - begin, 0.5)

    def test_a_connection_serves_one_request_after_the_other(self):
        with self.server.connect() as connection:
            connection.sendall(self.get() * 3 + self.get(fields='Connection: close\r\n'))
            self.assertEqual(served.received(connection).count('HTTP/1.1 200 OK'), 4)
        # A body that the route does not accept must not be read as a second request.
        with self.server.connect() as connection:
            smuggled = self.get()
            connection.sendall(self.get(fields=f'Content-Length: {len(smuggled)}\r\n') + smuggled)
            self.assertEqual(served.received(connection).count('HTTP/1.1 '), 1)
        status, text = self.server.raw(b'GET /healthz HTTP/1.0\r\n' + self.host.encode() + b'\r\n')
        self.assertEqual(status, 200)
        self.assertIn('Connection: close', text)

    def test_a_client_may_close_at_any_point(self):
        post = self.get('POST /v1/classify HTTP/1.1',
                        f'Content-Type: image/png\r\nContent-Length: {len(IMAGE)}\r\n') + IMAGE
        for length in 0, 1, 30, len(post) - len(IMAGE), len(post) - 1, len(post):
            with self.server.connect() as connection:
                connection.sendall(post[:length])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        served.wait_until(lambda: self.server.metric('vgg19_in_flight') == 0, 'workers to be free')

    def sockets(self):
        """The inodes of the process's sockets, and of those that are listening or connected to clients."""
        process = pathlib.Path(f'/proc/{self.server.process.pid}')
        links = []
        for entry in (process / 'fd').iterdir():
            with served.contextlib.suppress(FileNotFoundError):
                links.append(os.readlink(entry))
        own = {link[len('socket:['):-1] for link in links if link.startswith('socket:')}
        rows = (process / 'net/tcp').read_text().splitlines()[1:]
        address = f'0100007F:{self.server.port:04X}'
        return own, {row.split()[9] for row in rows if row.split()[1] == address}

    def test_the_process_has_no_socket_but_those_of_its_clients(self):
        self.assertEqual(self.server.post('/v1/classify', IMAGE).status, 200)

        def only_those():
            own, clients = self.sockets()  # a socket that is just being closed may occur only in the first list
            return own and own <= clients
        served.wait_until(only_those, 'sockets that are no client\'s to close')


class QueueTest(unittest.TestCase):
    def setUp(self):
        # Slow kernels, so that the test can observe the job while it runs.
        self.server = served.Server(models, '--queue', '1', '--threads', '1', '--isa', 'portable', '--conv', 'direct', '--variants', 'res160')
        self.long_job = '/v1/jobs?mode=rounds&rounds=50'

    def tearDown(self):
        self.server.end()

    def follow(self, job):
        connection = self.server.connect()
        connection.sendall(f'GET {job["events"]} HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n'.encode())
        served.wait_until(lambda: b'HTTP/1.1 200' in connection.recv(65536), 'events')
        return connection

    def busy(self):
        """Starts a job and listens to its events."""
        listener = self.follow(self.server.post(self.long_job, IMAGE).json)
        served.wait_until(lambda: self.server.metric('vgg19_in_flight') == 1, 'a worker to begin')
        return listener

    def test_a_full_queue_says_so_and_health_answers(self):
        running = self.busy()
        waiting = self.server.post(self.long_job, IMAGE)
        self.assertEqual(waiting.status, 202)
        for path in '/v1/classify', '/v1/jobs':
            answer = self.server.post(path, IMAGE)
            self.assertEqual((answer.status, answer.json['error']['code']), (503, 'queue_full'))
            self.assertGreater(int(answer.headers['Retry-After']), 0)
        answer = self.server.post('/v2/models/res160/infer', b'{}', 'application/json')
        self.assertEqual(answer.status, 503)
        self.assertIsInstance(answer.json['error'], str)
        self.assertEqual(self.server.metric('vgg19_queue_length'), 1)
        self.assertEqual(self.server.get('/healthz').status, 200)
        # When the listener leaves the waiting job, its place becomes free; the same for the running one.
        listener = self.follow_waiting(waiting.json)
        listener.close()
        served.wait_until(lambda: self.server.metric('vgg19_queue_length') == 0, 'the queue to be empty')
        running.close()
        served.wait_until(lambda: self.server.metric('vgg19_in_flight') == 0, 'the worker to be free')
        self.assertEqual(self.server.post('/v1/classify', IMAGE).status, 200)
        self.assertEqual(self.server.stop()[0], 0)

    def follow_waiting(self, job):
        connection = self.server.connect()
        connection.sendall(f'GET {job["events"]} HTTP/1.1\r\nHost: {self.server.host}\r\n\r\n'.encode())
        connection.recv(1000)  # after the head, the client counts as a listener
        return connection

    def test_a_client_that_goes_away_leaves_the_queue(self):
        running = self.busy()
        head = (f'POST /v1/classify HTTP/1.1\r\nHost: {self.server.host}\r\nContent-Type: image/png\r\n'
                f'Content-Length: {len(IMAGE)}\r\n\r\n')
        with self.server.connect() as connection:
            connection.sendall(head.encode() + IMAGE)
            served.wait_until(lambda: self.server.metric('vgg19_queue_length') == 1, 'a request to wait')
        served.wait_until(lambda: self.server.metric('vgg19_queue_length') == 0, 'its place to be free')
        running.close()
        self.assertEqual(self.server.stop()[0], 0)

    def test_stopping_finishes_what_runs_and_drops_what_waits(self):
        job = self.server.post('/v1/jobs?mode=rounds&rounds=5', IMAGE).json
        listener = self.follow(job)
        served.wait_until(lambda: self.server.metric('vgg19_in_flight') == 1, 'a worker to begin')
        idle = self.server.connect()  # sends nothing, and must not keep the server from stopping
        waiting = self.server.connect()
        waiting.sendall((f'POST /v1/classify HTTP/1.1\r\nHost: {self.server.host}\r\nContent-Type: image/png\r\n'
                         f'Content-Length: {len(IMAGE)}\r\n\r\n').encode() + IMAGE)
        served.wait_until(lambda: self.server.metric('vgg19_queue_length') == 1, 'a request to wait')
        self.server.process.send_signal(signal.SIGINT)
        dropped = served.received(waiting)
        self.assertTrue(dropped.startswith('HTTP/1.1 503 '), dropped)
        self.assertIn('"code":"stopping"', dropped)
        text = served.received(listener)
        self.assertIn('event: done', text)
        self.assertIn('"state":"done"', text)
        self.assertEqual(self.server.process.wait(served.PATIENCE), 0)
        self.assertRaises(ConnectionRefusedError, self.server.connect)
        for connection in idle, waiting, listener:
            connection.close()

    def test_a_second_signal_ends_it_at_once(self):
        running = self.busy()
        self.server.process.send_signal(signal.SIGTERM)
        served.wait_until(lambda: 'stopping' in self.server.process.stderr.readline(), 'the first signal')
        self.server.process.send_signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(served.PATIENCE), 128 + signal.SIGTERM)
        running.close()


class StartTest(unittest.TestCase):
    def test_other_names_can_be_allowed(self):
        server = served.Server(models, '--allow-host', 'demo.example,other.example:99', '--variants', 'res160')
        try:
            for host, status in ('demo.example', 200), ('demo.example:1', 200), ('Other.example:99', 200), \
                    ('other.example', 403):
                self.assertEqual(server.get('/healthz', {'Host': host}).status, status, host)
        finally:
            self.assertEqual(server.stop()[0], 0)

    def test_what_cannot_start_says_why(self):
        server = served.Server(models, '--variants', 'res160')
        try:
            tries = [(['--port', str(server.port)], 1, 'cannot listen'), (['--variants', 'none'], 2, 'none'),
                     (['--port', '99999'], 2, '--port'), (['--queue', '0'], 2, '--queue'), (['x'], 2, 'x')]
            for words, code, message in tries:
                ended = served.subprocess.run([served.TOOL, 'serve', '--models', str(models), *words],
                                              capture_output=True, text=True, timeout=served.PATIENCE)
                self.assertEqual((ended.returncode, ended.stdout), (code, ''), words)
                self.assertIn(message, ended.stderr)
        finally:
            server.stop()


if __name__ == '__main__':
    unittest.main()
