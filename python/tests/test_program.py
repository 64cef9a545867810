"""The command-line tool as the package has it."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import pytest

import vgg19

PYTHON = [sys.executable, "-m", "vgg19"]
SCRIPT = pathlib.Path(sys.executable).with_name("vgg19")


@pytest.fixture(params=["python -m vgg19", "vgg19"])
def command(request):
    if request.param == "vgg19":
        if not SCRIPT.exists():
            pytest.skip("the package is not installed")
        return [str(SCRIPT)]
    return PYTHON


def run(command, *words, **options):
    return subprocess.run([*command, *map(str, words)], capture_output=True, text=True, **options)


def test_is_the_whole_program(command):
    done = run(command, "--version")
    assert (done.returncode, done.stdout) == (0, f"vgg19 {vgg19.__version__}\n")
    names = run(command, "--help").stdout
    for name in ("convert", "prune", "quantize", "classify", "features", "eval", "bench", "serve", "finetune"):
        assert f"\n  {name}" in names


def test_exit_codes_and_streams_are_the_programs(command, narrow_path, pixels, tmp_path):
    done = run(command, "dance")
    assert done.returncode == 2 and "no subcommand 'dance'" in done.stderr and done.stdout == ""
    assert run(command).returncode == 2
    done = run(command, "inspect", tmp_path / "nowhere")
    assert done.returncode == 5 and "nowhere" in done.stderr
    ppm = b"P6 128 96 255\n" + pixels.tobytes()
    done = subprocess.run(
        [*command, "classify", "-m", narrow_path, "--size", "64", "--json", "-"], input=ppm, capture_output=True
    )
    assert done.returncode == 0
    best = vgg19.Session(narrow_path, size=64).classify(pixels)[0]
    assert json.loads(done.stdout)[0]["top"][0]["class"] == best.class_index


def test_a_closed_pipe_ends_it_by_the_signal(command):
    """As of other programs: Python, which ignores SIGPIPE, must not pass that on."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run([*command, "--help"], stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    assert done.returncode == -signal.SIGPIPE


def test_control_c_ends_it_by_the_signal(command, narrow_path):
    """A server says where it listens, and its end by Ctrl-C is a clean one; a command that reads is killed."""
    waiting = subprocess.Popen(
        [*command, "classify", "-m", str(narrow_path), "--size", "32", "-"], stdin=subprocess.PIPE
    )
    try:
        while not os.readlink(f"/proc/{waiting.pid}/exe").endswith("/vgg19"):  # the script is Python until then
            time.sleep(0.01)
        waiting.send_signal(signal.SIGINT)
        assert waiting.wait(60) == -signal.SIGINT
    finally:
        waiting.kill()
        waiting.wait()
        waiting.stdin.close()


def test_starts_itself_again(command, narrow_path, tmp_path):
    """The bench measures in processes of its own, which are the same program."""
    (tmp_path / "baseline.safetensors").symlink_to(narrow_path)
    words = ["--models", tmp_path, "--variants", "baseline", "--size", 32, "--min-time", 0.05, "--json"]
    done = run(command, "bench", *words, timeout=300)
    assert done.returncode == 0, done.stderr
    assert [variant["id"] for variant in json.loads(done.stdout)["variants"]] == ["baseline"]


def test_importing_takes_nothing_that_it_does_not_need():
    code = "import sys, vgg19; print([name for name in ('numpy', 'torch', 'ray', 'PIL') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
