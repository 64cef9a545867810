"""The n-th allocation or system call of a server fails, while it starts, answers and stops: it lives, and says 503."""

import collections
import errno
import json
import os
import re
import resource
import signal
import socket
import subprocess
import time

import served
from fault_library import EVERY, SHORT, Faults
from trials import Counts, Skipped

TRIALS = Counts(full=120, short=1)
# How long calls fail if no answer comes; and until an answer, or the connection's end, must have come.
FAULTY_SECONDS, MOST_SECONDS = 0.3, 60
OPTIONS = ('--threads', '2', '--timeout', '2', '--workers', '2', '--queue', '1000')

# `statuses`: what may be answered instead of what is asked for. A harmless fault changes nothing.
Fault = collections.namedtuple('Fault', 'name kind count error statuses', defaults=[(500, 503)])
FAULTS = [
    Fault('one allocation', 'allocation', 1, errno.ENOMEM, (503,)),
    Fault('10 allocations', 'allocation', 10, errno.ENOMEM, (503,)),
    Fault('all allocations for a while', 'allocation', EVERY, errno.ENOMEM, (503,)),
    Fault('one pthread_create', 'thread', 1, errno.EAGAIN, (503,)),
    Fault('all pthread_create for a while', 'thread', EVERY, errno.EAGAIN, (503,)),
    Fault('open', 'open', 1, errno.EMFILE),
    Fault('read', 'read', 1, errno.EIO),
    Fault('mmap', 'map', 1, errno.ENOMEM, (503,)),
    Fault('receive, fewer bytes', 'receive', EVERY, SHORT, ()),
    Fault('receive, interrupted', 'receive', 1, errno.EINTR, ()),
    Fault('receive, reset', 'receive', 1, errno.ECONNRESET, ()),
    Fault('receive, no memory', 'receive', 1, errno.ENOMEM, ()),
    Fault('send, fewer bytes', 'send', EVERY, SHORT, ()),
    Fault('send, interrupted', 'send', 1, errno.EINTR, ()),
    Fault('send, reset', 'send', 1, errno.EPIPE, ()),
    Fault('wait, interrupted', 'wait', 1, errno.EINTR, ()),
    Fault('descriptors', 'descriptor', 1, errno.EMFILE),
    Fault('close', 'close', 1, errno.EIO),
]
HARMLESS = ('fewer bytes', 'interrupted')
ACCEPT_ERRORS = ['EMFILE', 'ENFILE', 'ENOBUFS', 'ENOMEM', 'ECONNABORTED', 'EPROTO', 'EPERM', 'EINTR', 'EAGAIN', 'ENETDOWN',
                 'ENOPROTOOPT', 'EHOSTDOWN', 'ENONET', 'EHOSTUNREACH', 'EOPNOTSUPP', 'ENETUNREACH', 'ETIMEDOUT', 'ENOSR',
                 'EIO', 'EFAULT']

Request = collections.namedtuple('Request', 'name method path body content_type headers', defaults=[b'', '', {}])


def requests():
    picture = served.pixels()
    tensor = bytes(4 * 3 * 32 * 32)
    inputs = {'name': 'input', 'datatype': 'FP32', 'shape': [1, 3, 32, 32]}
    head = json.dumps({'inputs': [{**inputs, 'parameters': {'binary_data_size': len(tensor)}}]}).encode()
    numbers = json.dumps({'inputs': [{**inputs, 'data': [0.5] * (3 * 32 * 32)}]}).encode()
    binary = {'Inference-Header-Content-Length': str(len(head))}
    return [
        Request('classify', 'POST', '/v1/classify?variants=int8', picture, 'image/x-portable-pixmap'),
        Request('classify a JPEG by all', 'POST', '/v1/classify', served.flat_jpeg(64, 48), 'image/jpeg'),
        Request('classify a form', 'POST', '/v1/classify?variants=pruned&profile=1', *served.form(picture)),
        Request('job', 'POST', '/v1/jobs?variants=int8,res160', picture, 'image/x-portable-pixmap'),
        Request('infer, binary', 'POST', '/v2/models/int8/infer', head + tensor, 'application/octet-stream', binary),
        Request('infer, JSON', 'POST', '/v2/models/int8/infer', numbers, 'application/json'),
        Request('chunks', 'POST', '/v1/classify?variants=int8', picture, 'image/x-portable-pixmap', {'Transfer-Encoding': 'chunked'}),
        Request('models', 'GET', '/v1/models'),
        Request('healthz', 'GET', '/healthz'),
        Request('metrics', 'GET', '/metrics'),
        Request('page', 'GET', '/'),
    ]


def as_bytes(request, host):
    headers = {'Host': host, 'Connection': 'close', **request.headers}
    body = request.body
    if 'Transfer-Encoding' in headers:
        pieces = [body[i:i + 1000] for i in range(0, len(body), 1000)]
        body = b''.join(b'%x\r\n%b\r\n' % (len(piece), piece) for piece in [*pieces, b''])
    elif request.method == 'POST':
        headers['Content-Length'] = len(body)
    if request.content_type:
        headers['Content-Type'] = request.content_type
    lines = [f'{request.method} {request.path} HTTP/1.1', *(f'{name}: {value}' for name, value in headers.items()), '', '']
    return '\r\n'.join(lines).encode() + body


class Host:
    """A server with the library preloaded; started again when it has died."""

    def __init__(self, torture, library):
        self.torture = torture
        self.library = library
        self.models = torture.narrow_models()
        self.faults = None
        self.server = None
        self.is_sound = False

    def start(self):
        self.end()
        if self.faults:
            self.faults.close()
        self.faults = Faults(self.library, self.torture.folder / 'faults')
        self.server = served.Server(self.models, *OPTIONS, environment=self.faults.environment)
        self.is_sound = True

    def ready(self):
        if not self.is_sound:
            self.start()

    def send(self, request):
        """The status, 0 if the connection ended without one, None if neither came in time. Faults stop meanwhile."""
        data = b''
        begin = time.monotonic()
        try:
            with socket.create_connection(('127.0.0.1', self.server.port), timeout=FAULTY_SECONDS) as connection:
                connection.sendall(as_bytes(request, self.server.host))
                while time.monotonic() - begin < MOST_SECONDS:
                    try:
                        part = connection.recv(65536)
                    except TimeoutError:
                        self.faults.stop()
                        continue
                    if not part:
                        break
                    data += part
                else:
                    return None
        except OSError:  # reset, or refused because it has ended
            pass
        finally:
            self.faults.stop()
        status = re.match(rb'HTTP/1\.1 (\d+) ', data)
        return int(status[1]) if status else 0

    def problem(self, status, expected):
        """What is wrong after a request; empty if nothing is."""
        wrong = self._problem(status, expected)
        self.is_sound = not wrong
        return wrong

    def _problem(self, status, expected):
        if self.server.process.poll() is not None:
            _, errors = self.server.process.communicate()
            return f'the server ended with {describe(self.server.process.returncode)}: {errors.strip()[-200:]}'
        if status is None:
            return 'no answer, and the connection stays open'
        if status not in expected:
            return f'answered {status}'
        try:
            alive = self.server.get('/healthz').status
        except OSError as error:
            alive = error
        return '' if alive == 200 else f'/healthz afterwards: {alive}'

    def end(self):
        if self.server and self.server.process.poll() is None:
            self.server.end()


def describe(code):
    return signal.Signals(-code).name if code < 0 else f'exit code {code}'


def run(torture):
    library = torture.programs / 'vgg19-torture-faults.so'
    if not library.exists():
        raise Skipped(f'no {library}')
    host = Host(torture, library)
    try:
        for request in requests():
            for fault in FAULTS:
                if torture.wants(f'{request.name}: {fault.name}'):
                    try_request(torture, host, request, fault)
        for name in ACCEPT_ERRORS:
            if torture.wants(f'accept: {name}'):
                try_accept(torture, host, name)
        try_without_descriptors(torture, host)
        for fault in FAULTS[:5]:
            if torture.wants(f'start and stop: {fault.name}'):
                try_start(torture, library, fault)
    finally:
        host.end()


def calls_of(host, request, kind):
    """How many calls a request makes, when all is loaded; the most of three times."""
    found = []
    for _ in range(3):
        before = host.faults.calls(kind)
        host.send(request)
        found.append(host.faults.calls(kind) - before)
    return max(found)


def try_request(torture, host, request, fault):
    row = torture.row(f'{request.name}: {fault.name}')
    host.ready()
    right = host.send(request)
    calls = calls_of(host, request, fault.kind)
    harmless = any(word in fault.name for word in HARMLESS)
    expected = {right} if harmless else {0, right, *fault.statuses}
    rest = (host.server.threads(), host.server.descriptors())
    for n in torture.spread(calls):
        host.ready()
        host.faults.fail_next(fault.kind, n, fault.count, fault.error)
        wrong = host.problem(host.send(request), expected)
        row.record(not wrong, f'call {n} of {calls}: {wrong}')
    check_at_rest(torture, host, f'{request.name}: {fault.name}', rest)


def check_at_rest(torture, host, name, rest):
    """Nothing leaked: as many threads and descriptors as before."""
    if not host.is_sound:
        return
    end = time.monotonic() + MOST_SECONDS
    while (now := (host.server.threads(), host.server.descriptors())) > rest and time.monotonic() < end:
        time.sleep(0.05)
    row = next((row for row in torture.rows if row.name.endswith('threads and descriptors afterwards')), None)
    row = row or torture.row('threads and descriptors afterwards')
    row.record(now[0] <= rest[0] and now[1] <= rest[1], f'{name}: {rest} before, {now} after')


def try_accept(torture, host, name):
    """That error once, several times, and until a while has passed."""
    row = torture.row(f'accept: {name}')
    healthz = Request('healthz', 'GET', '/healthz')
    for count in (1, 5, EVERY):
        host.ready()
        host.faults.fail_next('accept', 1, count, getattr(errno, name))
        wrong = host.problem(host.send(healthz), {0, 200})
        row.record(not wrong, f'{count} times: {wrong}')


def try_without_descriptors(torture, host):
    """A limit of descriptors that clients reach."""
    if not torture.wants('no descriptors left'):
        return
    row = torture.row('no descriptors left')
    for spare in range(1, 9):
        host.ready()
        pid = host.server.process.pid
        _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (host.server.descriptors() + spare, hard))
        clients = []
        for _ in range(20):
            client = socket.create_connection(('127.0.0.1', host.server.port), timeout=MOST_SECONDS)
            client.sendall(b'GET /healthz HTTP/1.1\r\nHost: ')
            clients.append(client)
        time.sleep(0.1)
        for client in clients:
            client.close()
        wrong = host.problem(200, {200})
        row.record(not wrong, f'{spare} descriptors for 20 clients: {wrong}')
        if host.is_sound:
            resource.prlimit(pid, resource.RLIMIT_NOFILE, (hard, hard))


def try_start(torture, library, fault):
    """Starts with a fault: a message, or a server that answers and stops in time."""
    row = torture.row(f'start and stop: {fault.name}')
    request = requests()[0]
    command = [str(torture.tool), 'serve', '--models', str(torture.narrow_models()), '--port', '0', *OPTIONS]

    def attempt(n, calls):
        faults = Faults(library, torture.folder / f'start-{n}')
        if n:
            faults.fail(fault.kind, n, 5 if fault.count == EVERY else fault.count, fault.error)
        with served_process(command, faults) as process:
            address = process.stdout.readline().strip()
            wrong = ''
            if address:
                port = int(address.rstrip('/').rsplit(':', 1)[1])
                try:
                    with socket.create_connection(('127.0.0.1', port), timeout=MOST_SECONDS) as connection:
                        connection.sendall(as_bytes(request, f'127.0.0.1:{port}'))
                        served.received(connection)
                except OSError as error:
                    wrong = f'{error!r}'
                process.send_signal(signal.SIGTERM)
            try:
                _, errors = process.communicate(timeout=MOST_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                errors = process.communicate()[1]
                wrong = 'hung'
        if process.returncode < 0 and not wrong:
            wrong = describe(process.returncode)
        if process.returncode != 0 and not errors.strip():
            wrong = 'no message'
        made = faults.calls(fault.kind)
        faults.close()
        if n:
            row.record(not wrong, f'call {n} of {calls}: {wrong}, {errors.strip()[-200:]}')
        return made

    calls = attempt(0, 0)
    torture.each(lambda n: attempt(n, calls), torture.spread(calls))


def served_process(command, faults):
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, **faults.environment})
