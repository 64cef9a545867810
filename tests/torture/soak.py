"""200,000 requests of 24 kinds to `serve`, 5 % of them hostile, and restarts: nothing grows, and /healthz answers in time."""

import concurrent.futures
import contextlib
import http.client
import multiprocessing
import random
import threading
import time

import hostile_pictures
import loads
import served
from trials import Counts

TRIALS = Counts(full=200_000, short=200)
LIVES = 10                                              # of the server; all but the last one end under load
RESTS = 8                                               # in a life; the memory of the last ones is compared
WARM_UP = 2                                             # rests of a life that only fill caches and pools
MOST_GROWTH = 1.01
TIDY_TIME = 1.5                                         # seconds without work, until memory has been returned
MOST_MILLISECONDS = 50                                  # 99 % of the answers of /healthz
PROCESSES, CLIENTS = 2, 4                               # clients of each process
HOSTILE_EVERY = 20
LONGEST_BEAT = 0.9                                      # seconds
GRACE = 5
LONGEST_END = GRACE + 5 + 2
OPTIONS = ('--max-upload', '1', '--timeout', '1', '--grace', str(GRACE), '--memory', '200')
MOST_RESERVED = 'vgg19_memory_most_reserved_bytes{{use="{}"}}'
MANY_SCANS = [hostile_pictures.empty_scans(2000, 8000, False), hostile_pictures.refinements(40, 1500)]


def many_scans(server):
    """Small files whose scans pass over all blocks again and again."""
    return [server.post('/v1/classify?variants=int8', picture).status for picture in MANY_SCANS], {200, 400}


def leaves_many_scans(server):
    with server.connect() as connection:
        picture = MANY_SCANS[-1]
        connection.sendall(loads.head_of_post(server, '/v1/classify', f'Content-Length: {len(picture)}') + picture)
        time.sleep(0.01)
        loads.leave(connection)
    return [], set()


HOSTILE = [*loads.HOSTILE, many_scans, leaves_many_scans]


def turn(number):
    """The kind of the request with that number."""
    if number % HOSTILE_EVERY == 0:
        return HOSTILE[number // HOSTILE_EVERY % len(HOSTILE)]
    return random.Random(number).choice(loads.WELL_BEHAVED)


class Heartbeat:
    """Notices when the machine, or all of this test, stands still for a while: then requests run out of time."""

    def __init__(self):
        self.last_stall = 0
        threading.Thread(target=self.beat, daemon=True).start()

    def beat(self):
        last = time.monotonic()
        while True:
            time.sleep(0.1)
            now = time.monotonic()
            if now - last > LONGEST_BEAT:
                self.last_stall = now
            last = now

    def has_stalled_since(self, begin):
        time.sleep(0.3)                                 # until a stall is noticed
        return self.last_stall > begin


def send(port, numbers, server_may_end):
    """Sends the requests with these numbers; returns what was not as expected."""
    client = served.Client(port)
    heartbeat = Heartbeat()

    def take(number, repeats=5):
        begin = time.monotonic()
        wrong = take_once(number)
        if wrong and repeats > 0 and heartbeat.has_stalled_since(begin):
            return take(number, repeats - 1)
        return wrong

    def take_once(number):
        kind = turn(number)
        try:
            statuses, expected = kind(client)
        except Exception as error:                      # of any kind: the server closed, or did not answer
            return None if server_may_end else f'{kind.__name__} (request {number}): {error!r}'
        if server_may_end or set(statuses) <= expected:
            return None
        return f'{kind.__name__} (request {number}): status {statuses}, expected {sorted(expected)}'

    with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
        return [wrong for wrong in pool.map(take, numbers) if wrong]


def probe(port, pauses, pipe):
    """Asks for /healthz all the time, until the pipe is closed; sends the milliseconds that each answer took."""
    milliseconds = []
    connection = None
    while not pipe.poll():
        begin = time.monotonic()
        try:
            connection = connection or http.client.HTTPConnection('127.0.0.1', port, timeout=served.PATIENCE)
            connection.request('GET', '/healthz')
            answer = connection.getresponse()
            answer.read()
            closes = answer.will_close
            if answer.status == 200:
                milliseconds.append(1e3 * (time.monotonic() - begin))
        except (OSError, http.client.HTTPException):
            closes = True                               # a restart
        if closes and connection:
            connection.close()
            connection = None
        time.sleep(pauses)
    pipe.recv()
    pipe.send(milliseconds)


@contextlib.contextmanager
def healthz_times(port):
    """Probes while the body runs; the list is complete afterwards."""
    times = []
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=probe, args=(port, 0.01, there))
    process.start()
    try:
        yield times
    finally:
        here.send('end')
        times += here.recv()
        process.join()


class Soak:
    def __init__(self, torture):
        self.models = torture.narrow_models()
        self.count = torture.count
        self.short = torture.short                      # then what depends on time and load is only printed
        self.requests = torture.row('requests answered as expected')
        self.resources = torture.row('at rest, threads and descriptors as before')
        self.ends = torture.row(f'SIGTERM under load ends the server within {LONGEST_END} s')
        if not self.short:
            self.memory = torture.row('RSS at rest, last half of a life within 1 % of the half before')
            self.healthz = torture.row(f'/healthz within {MOST_MILLISECONDS} ms for 99 of 100')
        self.pool = concurrent.futures.ProcessPoolExecutor(PROCESSES)

    def start(self, port=0):
        server = served.Server(self.models, *OPTIONS, port=port)
        for _ in range(2):                              # a variant's memory is first touched when it runs
            server.post('/v1/classify', loads.IMAGE)
        self.rest(server)
        return server

    def rest(self, server):
        """Waits until nothing is served; returns memory, without what finished jobs keep for a minute, threads and descriptors."""
        served.wait_until(lambda: server.metric('vgg19_in_flight') == 0, 'the end of all requests')
        served.wait_until(lambda: server.metric('vgg19_connections') <= 2, 'the end of all connections but the probe')
        served.wait_until(lambda: server.metric('vgg19_memory_reserved_bytes{use="working"}') == 0, 'memory')
        time.sleep(TIDY_TIME)
        # The probe changes its connection now and then.
        descriptors = min(server.descriptors() for _ in range(20) if time.sleep(0.02) is None)
        kept = server.metric('vgg19_memory_reserved_bytes{use="held"}')
        return server.resident_bytes() - kept, server.threads(), descriptors

    def begin(self, server, numbers, server_may_end=False):
        return [self.pool.submit(send, server.port, numbers[i::PROCESSES], server_may_end) for i in range(PROCESSES)]

    def serve(self, server, numbers):
        wrong = [line for batch in self.begin(server, numbers) for line in batch.result()]
        for i in range(len(numbers)):
            self.requests.record(i >= len(wrong), wrong[i] if i < len(wrong) else '')

    def live(self, server, numbers):
        """One life of a server, without its end."""
        rests = []
        for i in range(RESTS):
            self.serve(server, numbers[len(numbers) * i // RESTS:len(numbers) * (i + 1) // RESTS])
            rests.append(self.rest(server))
        memory = [rest[0] for rest in rests[WARM_UP:]]
        half = len(memory) // 2
        # An allocator's memory goes up and down by a little; a leak makes the last ones all larger.
        plateau, last = max(memory[:half]), min(memory[half:])
        if not self.short:
            self.memory.record(last <= MOST_GROWTH * plateau, f'{last / 1e6:.2f} MB, {plateau / 1e6:.2f} MB before')
        _, threads, descriptors = rests[WARM_UP]
        for rest in rests[WARM_UP + 1:]:                # the probe may have no connection just then
            self.resources.record(rest[1] == threads and rest[2] <= descriptors,
                                  f'{rest[1:]} threads and descriptors, {(threads, descriptors)} before')
        held, working = (server.metric(MOST_RESERVED.format(use)) / 1e6 for use in ('held', 'working'))
        at_rest = ' '.join(f'{value / 1e6:.1f}' for value in memory)
        print(f'soak: at rest {at_rest} MB, {rests[-1][1]} threads, '
              f'{rests[-1][2]} descriptors; most reserved: {held:.1f} MB held, {working:.1f} MB working', flush=True)

    def end_under_load(self, server, numbers):
        batches = self.begin(server, numbers, server_may_end=True)
        time.sleep(0.5)
        begin = time.monotonic()
        code, errors = server.stop()
        took = time.monotonic() - begin
        for batch in batches:
            batch.result()
        self.ends.record(code == 0 and took <= LONGEST_END, f'exit code {code} after {took:.1f} s: {errors[-300:]}')

    def run(self):
        lives = LIVES if self.count >= 100 * LIVES else 2
        a_life = self.count // lives
        server = self.start()
        try:
            with healthz_times(server.port) as times:
                for life in range(lives):
                    self.live(server, range(life * a_life, (life + 1) * a_life))
                    if life + 1 < lives:
                        self.end_under_load(server, range(a_life // 20))
                        server = self.start(server.port)
        finally:
            self.pool.shutdown()
            server.end()
        times.sort()
        p99 = times[len(times) * 99 // 100]
        print(f'soak: {len(times)} answers of /healthz: median {times[len(times) // 2]:.2f} ms, p99 {p99:.2f} ms, '
              f'longest {times[-1]:.1f} ms', flush=True)
        if not self.short:
            self.healthz.record(p99 <= MOST_MILLISECONDS, f'{p99:.1f} ms')


def run(torture):
    Soak(torture).run()
