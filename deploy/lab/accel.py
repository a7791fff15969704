"""Which accelerator to use. An openable /dev/kvm proves nothing, so "auto" boots a test kernel under KVM first."""
import json
import os
import tempfile
import time
from pathlib import Path

from . import images, proc

PROBE_DEADLINE_S = 20


def _boots_under_kvm(image):
    with tempfile.TemporaryDirectory(prefix="clockmend-kvm-") as folder:
        console = Path(folder) / "console"
        child = proc.Child(["qemu-system-x86_64", "-nodefaults", "-display", "none", "-machine", "q35", "-accel", "kvm",
                            "-cpu", "host", "-m", "256", "-kernel", image.kernel, "-initrd", image.initrd,
                            "-append", "console=ttyS0 lab.probe", "-serial", f"file:{console}"],
                           Path(folder) / "log", PROBE_DEADLINE_S)
        end = time.monotonic() + PROBE_DEADLINE_S
        try:
            while child.running() and time.monotonic() < end:
                if console.exists() and "lab-initrd-alive" in console.read_text(errors="replace"):
                    return True
                time.sleep(0.1)
            return False
        finally:
            child.kill()


def choose(wanted, image):
    """"kvm" or "tcg" for wanted = auto, kvm or tcg. The verdict of auto is remembered until the next boot of this machine."""
    if wanted == "tcg":
        return "tcg"
    key = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip() + " " + image.kernel
    memory = images.CACHE / "accel.json"
    try:
        known = json.loads(memory.read_text(encoding="ascii"))
    except (OSError, ValueError):
        known = {}
    if known.get("key") != key:
        works = Path("/dev/kvm").exists() and _boots_under_kvm(image)
        known = {"key": key, "kvm": works}
        part = memory.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps(known), encoding="ascii")
        os.replace(part, memory)
    if known["kvm"]:
        return "kvm"
    if wanted == "kvm":
        raise RuntimeError("KVM does not boot a kernel on this machine")
    return "tcg"
