"""Threads, signals and forks."""

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import numpy
import pytest

import vgg19

# A run of this takes about a second, each of its steps much less: plain loops, one thread.
SLOW = {"size": 256, "threads": 1, "isa": "portable", "convolution": "direct"}


@pytest.fixture
def slow(narrow):
    return vgg19.Session(narrow, batch=4, **SLOW)


def zeros(session):
    return numpy.zeros((session.batch, 3, *session.input_size), numpy.float32)


class Running:
    """A call on a thread of its own; what it raised is in `error`."""

    def __init__(self, call):
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(call,))
        self.thread.start()

    def _run(self, call):
        try:
            call()
        except BaseException as error:  # noqa: BLE001: it is looked at
            self.error = error


def until_in_use(session):
    while not session.in_use:
        time.sleep(0.001)


def test_other_threads_run_meanwhile_and_cancel_ends_the_call(slow):
    running = Running(lambda: slow.run(zeros(slow)))
    until_in_use(slow)
    count = sum(1 for _ in range(100_000))  # Python code, while the call goes on
    assert count == 100_000 and running.thread.is_alive()
    slow.cancel()
    running.thread.join()
    assert isinstance(running.error, vgg19.CancelledError) and not slow.in_use
    small = vgg19.Session(slow.model, size=32)
    small.cancel()  # no call, no matter
    assert small.run(zeros(small)).shape == (1, 1000)


def test_a_cancelled_session_runs_again(narrow):
    session = vgg19.Session(narrow, size=64, batch=64, threads=1, isa="portable", convolution="direct")
    expected = session.run(zeros(session))
    running = Running(lambda: [session.run(zeros(session)) for _ in range(1000)])
    until_in_use(session)
    while running.thread.is_alive():  # a cancel between two calls is for none
        session.cancel()
        time.sleep(0.001)
    assert isinstance(running.error, vgg19.CancelledError)
    numpy.testing.assert_array_equal(session.run(zeros(session)), expected)


def test_a_second_thread_is_refused(slow):
    running = Running(lambda: slow.run(zeros(slow)))
    until_in_use(slow)
    calls = {
        "run": lambda: slow.run(zeros(slow)),
        "reshape": lambda: slow.reshape(32),
        "classify": lambda: slow.classify(numpy.zeros((32, 32, 3), numpy.uint8)),
        "preprocess": lambda: slow.preprocess(numpy.zeros((32, 32, 3), numpy.uint8)),
        "features": lambda: slow.features(),
        "backward": lambda: slow.backward({}),
    }
    for name, call in calls.items():
        with pytest.raises(vgg19.UsageError, match="in use by another thread"):
            call()
            pytest.fail(name)
    assert slow.batch == 4 and slow.outputs[0].shape == (4, 1000)  # can be asked for at any time
    slow.cancel()
    running.thread.join()


def test_sessions_of_one_model_run_at_the_same_time(narrow):
    input = numpy.random.default_rng(1).standard_normal((1, 3, 64, 64), numpy.float32)
    expected = vgg19.Session(narrow, size=64).run(input)
    results = [None] * 4

    def work(index):
        session = vgg19.Session(narrow, size=64, threads=1 + index % 2)
        for _ in range(5):
            results[index] = session.run(input)

    threads = [threading.Thread(target=work, args=(index,)) for index in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for result in results:
        numpy.testing.assert_array_equal(result, expected)


PREAMBLE = f"""
import os, pickle, signal, sys, threading, time, numpy, vgg19
model = vgg19.Model.open(sys.argv[1])
def session(**options):
    return vgg19.Session(model, **{{**{SLOW!r}, **options}})
def zeros(session):
    return numpy.zeros((session.batch, 3, *session.input_size), numpy.float32)
"""


def python(code, *arguments):
    """A process of its own; its standard output, if it ends well."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(
    "call",
    [
        "slow.run(zeros(slow))",
        "slow.features(*[numpy.zeros((64, 64, 3), numpy.uint8)] * 4)",
        "session(batch=1, size=512).classify(numpy.zeros((64, 64, 3), numpy.uint8))",
        "vgg19.evaluate(model, folder, size=256, threads=1, isa='portable', class_order='index', batch=2)",
        "vgg19.quantize(model, scope='all', pictures=folder, size=256, threads=1, isa='portable')",
    ],
)
def test_control_c_ends_a_long_call(narrow_path, folder_of_pictures, call):
    """The signal comes when the call has begun; without it, it is repeated for ever."""
    code = f"""
    slow = session(batch=4)
    folder = sys.argv[2]
    threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        while True:
            {call}
    except KeyboardInterrupt:
        print("interrupted")
    small = session(size=32, batch=1)
    print(small.run(zeros(small)).shape)
    """
    assert python(code, narrow_path, folder_of_pictures) == "interrupted\n(1, 1000)\n"


def test_what_a_signals_handler_raises_leaves_the_call(narrow_path):
    code = """
    def handler(number, frame):
        raise TimeoutError("too long")
    signal.signal(signal.SIGALRM, handler)
    slow = session(batch=4)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        while True:
            slow.run(zeros(slow))
    except TimeoutError as error:
        print(error)
    """
    assert python(code, narrow_path) == "too long\n"


@pytest.mark.parametrize("writes", [False, True])
def test_signals_while_a_pipe_is_awaited(narrow_path, tmp_path, writes):
    """Before its writer comes, and between two pieces of what it writes."""
    code = """
    os.mkfifo(sys.argv[2])
    picture = b"P6 40 30 255\\n" + bytes(range(240)) * 15
    signals = []
    def handler(number, frame):
        signals.append(number)
        if len(signals) == 12:
            raise TimeoutError("too long")
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    def write():
        time.sleep(0.15)
        with open(sys.argv[2], "wb", buffering=0) as pipe:
            pipe.write(picture[:1000])
            time.sleep(0.15)
            pipe.write(picture[1000:])
            if sys.argv[3] == "hang":
                time.sleep(1)
    threading.Thread(target=write, daemon=True).start()
    small = session(size=32)
    try:
        found = small.preprocess(sys.argv[2])
        signal.setitimer(signal.ITIMER_REAL, 0)
        pixels = numpy.frombuffer(picture[-3600:], numpy.uint8).reshape(30, 40, 3)
        print(len(signals) > 2, (found == small.preprocess(pixels)).all())
    except TimeoutError as error:
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(error)
    """
    expected = "True True\n" if writes else "too long\n"
    assert python(code, narrow_path, tmp_path / "pipe", "end" if writes else "hang") == expected


def test_a_signal_without_exception_does_not_end_a_call(narrow_path):
    code = """
    count = 0
    def handler(number, frame):
        global count
        count += 1
    signal.signal(signal.SIGALRM, handler)
    slow = session(batch=2)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    while count < 3:
        slow.run(zeros(slow))
    signal.setitimer(signal.ITIMER_REAL, 0)
    print("done")
    """
    assert python(code, narrow_path) == "done\n"


def test_a_fork_after_threads_started_works(narrow_path):
    code = """
    both = session(threads=2, size=64)
    expected = both.run(zeros(both))
    children = []
    for _ in range(4):
        child = os.fork()
        if child == 0:
            again = both.run(zeros(both))            # the same session, in the child
            other = session(threads=2, size=64)      # and a new one
            same = (again == expected).all() and (other.run(zeros(other)) == expected).all()
            os._exit(0 if same else 1)
        children.append(child)
    for child in children:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    print((both.run(zeros(both)) == expected).all())
    """
    assert python(code, narrow_path) == "True\n"


def test_a_fork_during_a_call_of_another_thread_says_so(narrow_path):
    code = """
    slow = session(batch=4)
    thread = threading.Thread(target=lambda: slow.run(zeros(slow)))
    thread.start()
    while not slow.in_use:
        time.sleep(0.001)
    child = os.fork()
    if child == 0:
        try:
            slow.run(zeros(slow))
            os._exit(1)
        except vgg19.UsageError as error:
            other = session(size=32)
            other.run(zeros(other))
            os._exit(0 if "fork" in str(error) else 2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join()
    print("done")
    """
    assert python(code, narrow_path) == "done\n"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_models_go_to_other_processes(narrow, method):
    import multiprocessing

    context = multiprocessing.get_context(method)
    with context.Pool(2) as pool:
        found = pool.map(_classify, [narrow] * 3)
    assert found == [_classify(narrow)] * 3


def _classify(model):
    picture = numpy.arange(48 * 48 * 3, dtype=numpy.uint32).reshape(48, 48, 3).astype(numpy.uint8)
    return vgg19.Session(model, size=32, threads=1).classify(picture)


def test_sessions_are_not_pickled(narrow):
    with pytest.raises(TypeError):
        pickle.dumps(vgg19.Session(narrow, size=32))


def test_objects_may_live_to_the_end(narrow_path):
    """An interpreter that ends with sessions, arrays and a busy thread around neither crashes nor complains."""
    code = """
    kept = vgg19.Model.from_bytes(open(sys.argv[1], "rb").read())
    small = vgg19.Session(kept, size=32)
    result = small.run(zeros(small))
    vgg19.kept = [small, kept, result]
    slow = session(batch=2, size=256)
    threading.Thread(target=lambda: slow.run(zeros(slow)), daemon=True).start()
    time.sleep(0.05)
    """
    assert python(code, narrow_path) == ""


@pytest.mark.parametrize(
    "call",
    [
        "slow.run(zeros(slow))",
        "slow.classify(picture)",
        "session(batch=1, size=32, log=lambda level, message: None)",
        "small.predictions(numpy.zeros(1000, numpy.float32), top=1000)",
        "vgg19.quantize(model, scope='all', pictures=sys.argv[2], size=64, threads=1, progress=progress)",
        "vgg19.evaluate(model, sys.argv[2], size=128, threads=1, class_order='index', progress=progress)",
    ],
)
def test_python_may_end_during_a_daemon_threads_call(narrow_path, folder_of_pictures, call):
    """Python ends slowly enough for the call to end first, and to find that there is nothing to return to."""
    code = f"""
    class Late:
        def __del__(self, sleep=time.sleep):
            sleep(0.7)
    late = Late()
    picture = numpy.zeros((64, 64, 3), numpy.uint8)
    slow, small = session(batch=1), session(batch=1, size=32)
    progress = lambda *done: [sum(range(50)) for _ in range(50)]
    def work():
        while True:
            {call}
    for _ in range({1 if "slow" in call else 3}):
        threading.Thread(target=work, daemon=True).start()
    time.sleep(0.3)
    """
    assert python(code, narrow_path, folder_of_pictures) == ""
