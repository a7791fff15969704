"""clockmend's own packages, built from this checkout and cached by the content of its sources."""
import hashlib
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from . import proc
from .images import CACHE, ROOT

SOURCES = ("CMakeLists.txt", "LICENSE", "CHANGELOG.md", "agent", "probes", "correctors", "packaging", "deploy/host")
KEPT = 4


@dataclass(frozen=True)
class Package:
    guest_deb: Path
    host_deb: Path
    host: Path  # the clockmend-host program, unpacked


def content_key():
    """Of everything the packages are made from, 16 hex digits."""
    digest = hashlib.sha256()
    for name in SOURCES:
        top = ROOT / name
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for path in files:
            if path.is_file() and path.suffix != ".md" and "__pycache__" not in path.parts:
                digest.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _in_folder(folder):
    def only(pattern):
        found = sorted(folder.glob(pattern))
        if len(found) != 1:
            raise RuntimeError(f"{folder}: {len(found)} files match {pattern}, there must be one")
        return found[0]
    host_deb = only("clockmend-host_*.deb")
    tree = folder / "host"
    if not tree.exists():
        proc.run(["dpkg-deb", "-x", str(host_deb), str(tree) + ".part"])
        os.replace(str(tree) + ".part", tree)
    return Package(only("clockmend_*.deb"), host_deb, tree / "usr/bin/clockmend-host")


def build(timeout_s=1500):
    """Builds the packages, or finds them in the cache. CLOCKMEND_DEBS names a folder which has them already."""
    given = os.environ.get("CLOCKMEND_DEBS")
    if given:
        return _in_folder(Path(given))
    folder = CACHE / f"debs-{content_key()}"
    if not folder.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        part = Path(str(folder) + ".part")
        shutil.rmtree(part, ignore_errors=True)
        # A CMake build folder belongs to one checkout.
        checkout = hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]
        env = dict(os.environ, CLOCKMEND_DEB_BUILD=str(CACHE / f"deb-build-{checkout}"))
        done = subprocess.run(proc.bound_tree([ROOT / "packaging/build-deb.sh", part]), env=env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, timeout=timeout_s, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"packaging/build-deb.sh failed (exit {done.returncode}); its messages are above")
        os.replace(part, folder)
        old = sorted(CACHE.glob("debs-????????????????"), key=lambda path: path.stat().st_mtime)[:-KEPT]
        for path in old:
            shutil.rmtree(path, ignore_errors=True)
    os.utime(folder)
    return _in_folder(folder)
