"""Guest images and cached tools, made by deploy/image/."""
import hashlib
import os
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

from . import proc

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CLOCKMEND_CACHE") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clockmend")


@dataclass(frozen=True)
class Image:
    kernel: str
    initrd: str
    disk: str
    variant: str


class Unavailable(Exception):
    """Packages of a newer suite that cannot be had on this machine; the text says why."""


@dataclass(frozen=True)
class Qemu:
    """Which QEMU; without a binary the installed one."""
    binary: str = "qemu-system-x86_64"
    libraries: str = ""
    data: str = ""
    version: str = ""

    @property
    def argv(self):
        folders = [f"{self.data}/qemu", f"{self.data}/seabios", "/usr/share/qemu", "/usr/share/seabios"] if self.data else []
        return [self.binary, *(word for folder in folders for word in ("-L", folder))]

    def environment(self):
        """None: that of this process."""
        return dict(os.environ, LD_LIBRARY_PATH=self.libraries) if self.libraries else None


def _script(name, *arguments, timeout_s=1200):
    done = subprocess.run(proc.bound_tree([ROOT / "deploy/image" / name, *arguments]), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          text=True, timeout=timeout_s, check=False)
    if done.returncode == 3 and done.stdout.startswith("unavailable="):
        raise Unavailable(done.stdout.split("=", 1)[1].strip())
    if done.returncode != 0:
        raise RuntimeError(f"{name} {' '.join(map(str, arguments))} failed (exit {done.returncode}); its messages are above")
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)


def build(variant="ntpsec", debs=(), helper=None):
    """Builds the image, or finds it in the cache."""
    arguments = ["--variant", variant]
    for deb in debs:
        arguments += ["--deb", deb]
    if helper:
        arguments += ["--helper", helper]
    return Image(variant=variant, **_script("build-image.sh", *arguments))


def layers(variant="ntpsec"):
    """The part of its image that has no packages under test, so that the rest is quick."""
    _script("build-image.sh", "--variant", variant, "--only-layers")


def tools():
    """The folder with unpacked server packages (chronyd); nothing of them is installed on this machine."""
    return Path(_script("build-tools.sh")["tools"])


def newer_kernel(image, flavour):
    """The image with Debian's newest backported kernel instead of its own; flavour "cloud" or "generic".
    Raises Unavailable."""
    made = _script("build-newer-kernel.sh", flavour)
    return replace(image, kernel=made["kernel"], initrd=made["initrd"])


def newer_qemu():
    """A QEMU with -device vmclock, unpacked into the cache. Raises Unavailable."""
    made = _script("build-newer-qemu.sh")
    return Qemu(made["qemu"], made["libraries"], made["data"], made["version"])


def clock_tool():
    """tests/e2e/guest/clock_tool.cpp as a static program, to be pushed into a guest."""
    return static_program("tests/e2e/guest/clock_tool.cpp")


def static_program(name):
    """A program of one source file, for a guest."""
    return _compiled(name, "", "-static")


def preload(name):
    """A library of one source file, for LD_PRELOAD on this machine."""
    return _compiled(name, ".so", "-shared", "-fPIC")


def _compiled(name, suffix, *options):
    source = ROOT / name
    made = CACHE / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}{suffix}"
    if not made.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = made.with_suffix(f".{os.getpid()}")
        proc.run(["g++", "-std=c++20", "-O2", "-s", *options, "-Wall", "-Wextra", "-o", part, source], 300)
        os.replace(part, made)
    return made
