"""Many clients at once, a tenth of them hostile: no resource grows, and the others are served."""

import concurrent.futures
import os
import random
import statistics
import time
import unittest

import loads
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

class LoadTest(unittest.TestCase):
    def send(self, server, numbers):
        """Sends the requests with these numbers, CLIENTS at once; returns the seconds of the well-behaved ones."""
        source = random.Random(7)
        turns = [loads.HOSTILE[number // HOSTILE_EVERY % len(loads.HOSTILE)] if number % HOSTILE_EVERY == 0
                 else source.choice(loads.WELL_BEHAVED) for number in numbers]

        def take(turn):
            begin = time.monotonic()
            statuses, expected = turn(server)
            self.assertLessEqual(set(statuses), expected, turn.__name__)
            return turn, time.monotonic() - begin

        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            return [seconds for turn, seconds in pool.map(take, turns) if turn is loads.classify]

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
