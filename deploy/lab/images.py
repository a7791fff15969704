"""Guest images and cached tools, made by deploy/image/."""
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path(os.environ.get("CLOCKMEND_CACHE") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "clockmend")


@dataclass(frozen=True)
class Image:
    kernel: str
    initrd: str
    disk: str
    variant: str


def _script(name, *arguments, timeout_s=1200):
    done = subprocess.run([str(ROOT / "deploy/image" / name), *map(str, arguments)], stdout=subprocess.PIPE, text=True,
                          timeout=timeout_s, check=False)
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


def tools():
    """The folder with unpacked server packages (chronyd); nothing of them is installed on this machine."""
    return Path(_script("build-tools.sh")["tools"])
