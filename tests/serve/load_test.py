"""Many clients at once, a tenth of them hostile: no resource grows, and the others are served."""

import concurrent.futures
import json
import os
import random
import socket
import statistics
import struct
import time
import unittest

import served

REQUESTS = int(os.environ.get('VGG19_LOAD_REQUESTS', 2000))
ROUNDS = 4
MOST_GROWTH = 1.01
# A sanitizer's own memory grows with what it watches.
CHECK_MEMORY = os.environ.get('VGG19_SANITIZED') != '1'
CLIENTS = 8
HOSTILE_EVERY = 10
WARM_UP = REQUESTS // 2
MOST_SECONDS = 60

IMAGE = served.pixels(320, 240)
FORM = served.form(IMAGE)
TENSOR = bytes(4 * 3 * 160 * 160)
TENSOR_HEAD = json.dumps({'inputs': [{'name': 'input', 'datatype': 'FP32', 'shape': [1, 3, 160, 160],
                                      'parameters': {'binary_data_size': len(TENSOR)}}]}).encode()


def classify(server):
    return [server.post('/v1/classify?variants=int8', IMAGE).status], {200}


def classify_form(server):
    return [server.post('/v1/classify?variants=pruned,res160&profile=1', *FORM).status], {200}


def job(server):
    created = server.post('/v1/jobs?variants=int8,res160', IMAGE)
    told = server.get(created.json['events'])
    assert served.events(told.text)[-1][2]['state'] == 'done', told.text
    return [created.status, told.status], {200, 202}


def infer(server):
    answer = server.post('/v2/models/res160/infer', TENSOR_HEAD + TENSOR, 'application/octet-stream',
                         {'Inference-Header-Content-Length': str(len(TENSOR_HEAD))})
    return [answer.status], {200}


def look(server):
    return [server.get(path).status for path in ('/', '/v1/models', '/healthz', '/metrics')], {200}


def broken_image(server):
    return [server.post('/v1/classify', IMAGE[:-7]).status], {400}


def too_long(server):
    return [server.post('/v1/classify', bytes(1_100_000)).status], {413}


def foreign(server):
    return [server.post('/v1/classify', IMAGE, headers={'Origin': 'http://evil.example'}).status], {403}


def no_http(server):
    return [server.raw(b'\x16\x03\x01 hello\r\n\r\n')[0], server.raw(b'GET / HTTP/1.1\r\n' + b'X: y\r\n' * 3000)[0]], \
        {400, 431}


def goes_away(server):
    """Disconnects while sending its image, or while waiting for the answer."""
    for length in len(IMAGE) // 2, len(IMAGE):
        with server.connect() as connection:
            head = (f'POST /v1/classify HTTP/1.1\r\nHost: {server.host}\r\nContent-Type: image/png\r\n'
                    f'Content-Length: {len(IMAGE)}\r\n\r\n')
            connection.sendall(head.encode() + IMAGE[:length])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
    return [], set()


def slow(server):
    with server.connect() as connection:
        connection.sendall(b'POST /v1/classify HTTP/1.1\r\nHost: ')
        return [int(served.received(connection).split()[1])], {408}


KIND = [classify, classify, classify, classify_form, job, infer, look]
HOSTILE = [broken_image, too_long, foreign, no_http, goes_away, slow]


class LoadTest(unittest.TestCase):
    def send(self, server, numbers):
        """Sends the requests with these numbers, CLIENTS at once; returns the seconds of the well-behaved ones."""
        source = random.Random(7)
        turns = [HOSTILE[number // HOSTILE_EVERY % len(HOSTILE)] if number % HOSTILE_EVERY == 0
                 else source.choice(KIND) for number in numbers]

        def take(turn):
            begin = time.monotonic()
            statuses, expected = turn(server)
            self.assertLessEqual(set(statuses), expected, turn.__name__)
            return turn, time.monotonic() - begin

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            return [seconds for turn, seconds in pool.map(take, turns) if turn is classify]

    def at_rest(self, server):
        """Memory, threads and file descriptors while no client is served."""
        served.wait_until(lambda: server.metric('vgg19_in_flight') == 0, 'rest')
        served.wait_until(lambda: server.descriptors() <= self.descriptors, 'connections to close')
        return server.resident_bytes(), server.threads(), server.descriptors()

    def test_nothing_grows_under_load(self):
        begin = time.monotonic()
        with served.models() as models:
            server = served.Server(models, '--max-upload', '1', '--timeout', '1')
            try:
                server.get('/healthz')
                served.wait_until(lambda: server.metric('vgg19_in_flight') == 0, 'rest')
                time.sleep(0.1)  # until that connection is closed
                self.descriptors = server.descriptors()
                self.send(server, range(WARM_UP))
                # A leak grows with every round; an allocator's peak, which depends on random coincidences,
                # does not.
                after = self.at_rest(server)
                for _ in range(ROUNDS):
                    before = after
                    seconds = self.send(server, range(WARM_UP, REQUESTS))
                    after = self.at_rest(server)
                    if after[0] <= MOST_GROWTH * before[0]:
                        break
            finally:
                code, _ = server.stop()
        took = time.monotonic() - begin
        print(f'{REQUESTS} requests of {CLIENTS} clients, each {HOSTILE_EVERY}th hostile, in {took:.1f} s; '
              f'at rest after {WARM_UP} and after all: {before[0] / 1e6:.1f} and {after[0] / 1e6:.1f} MB, '
              f'{before[1]} and {after[1]} threads, {before[2]} and {after[2]} descriptors; '
              f'classify: median {1e3 * statistics.median(seconds):.1f} ms, longest {1e3 * max(seconds):.1f} ms')
        self.assertEqual(code, 0)
        self.assertEqual(after[1:], before[1:])
        if CHECK_MEMORY:
            self.assertLessEqual(after[0], MOST_GROWTH * before[0])
            self.assertLess(took, MOST_SECONDS)


if __name__ == '__main__':
    unittest.main()
