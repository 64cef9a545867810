"""The package's files, as they are installed."""

import pathlib
import re
import subprocess
import sys
import zipfile

import pytest

import vgg19

PACKAGE = pathlib.Path(vgg19.__file__).parent
ROOT = pathlib.Path(__file__).resolve().parents[2]
VERSION = "{}.{}".format(*sys.version_info)

# What every Linux of that age has, as auditwheel's policies say; the rest is in the wheel.
SYSTEM = {"libc.so.6", "libm.so.6", "libstdc++.so.6", "libgcc_s.so.1", "libz.so.1", "libpthread.so.0"}
SYSTEM |= {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}


@pytest.fixture(scope="module")
def wheel():
    found = list((ROOT / "build" / "python" / "wheels" / VERSION).glob("*.whl"))
    if not found:
        pytest.skip("script/wheel has not made a wheel")
    assert len(found) == 1
    return found[0]


def test_is_small_and_for_many_systems(wheel):
    assert wheel.stat().st_size <= 6_000_000
    assert re.search(r"-(cp3\d+-cp3\d+|cp312-abi3)-.*manylinux_2_\d+_", wheel.name)
    if sys.version_info >= (3, 12):
        assert "-cp312-abi3-" in wheel.name


def test_has_all_its_files(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for name in ("__init__.py", "__main__.py", "py.typed", "_vgg19.pyi", "bin/vgg19", "libvgg19-python.so"):
        assert f"vgg19/{name}" in names
    assert not [name for name in names if "test" in name or name.endswith((".cc", ".h", ".a"))]


def needed(path):
    dynamic = subprocess.run(["readelf", "-d", path], capture_output=True, text=True, check=True).stdout
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", dynamic))


def test_needs_only_what_every_system_has(wheel):
    if PACKAGE.is_relative_to(ROOT / "python"):
        pytest.skip("the package is not installed")
    own = {path.name for path in [*PACKAGE.rglob("*.so*"), *PACKAGE.parent.glob("vgg19.libs/*")]}
    assert "libvgg19-python.so" in own
    for path in [*PACKAGE.rglob("*.so*"), PACKAGE / "bin" / "vgg19"]:
        assert needed(path) <= SYSTEM | own, path


def test_exports_nothing_but_its_own(wheel):
    """Other libraries in the process must not meet symbols of the standard library's templates."""
    symbols = subprocess.run(
        ["nm", "-D", "--defined-only", "--format=posix", PACKAGE / "libvgg19-python.so"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    names = [line.split()[0] for line in symbols.splitlines()]
    assert names and all(re.match(r"vgg19_|_ZN?K?5vgg19|_ZNK?5vgg19|_ZT[ISV]N5vgg19", name) for name in names)


def test_keeps_to_the_stable_interface(wheel):
    if "-abi3-" not in wheel.name:
        pytest.skip("a wheel for one version of Python")
    auditor = ROOT / "build" / "python" / f"tools-{VERSION}" / "bin" / "abi3audit"
    done = subprocess.run([auditor, "--strict", wheel], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_reads_every_format(narrow, tmp_path):
    from PIL import Image, features

    session = vgg19.Session(narrow, size=32)
    kinds = ["png", "bmp", "gif", "ppm", "jpg"] + (["webp"] if features.check("webp") else [])
    for kind in kinds:
        Image.new("RGB", (40, 40), (200, 100, 50)).save(tmp_path / f"picture.{kind}")
        assert len(session.classify(tmp_path / f"picture.{kind}")) == 5
