"""Fills the cache with what guests are made of, before the first one boots. What cannot be made is told here and judged by the
case that needs it."""
import time
from concurrent.futures import ThreadPoolExecutor

from lab import accel, images, package

from .profiles import PROFILES


def _base():
    """As much of the images as needs no packages of ours."""
    return [(f"the layers of {variant}", lambda variant=variant: images.layers(variant)) for variant in _of("variant")]


def _fetched():
    kernels = [(f"a newer {flavour} kernel", lambda flavour=flavour: images.newer_kernel(images.Image("", "", "", ""), flavour))
               for flavour in _of("kernel")]
    return [*kernels, ("a newer QEMU", images.newer_qemu), ("chronyd", images.tools), ("the clock tool", images.clock_tool)]


def _disks(wanted_accel):
    def disk(variant):
        image = images.build(variant, [package.build().guest_deb])
        if variant == "ntpsec":
            accel.choose(wanted_accel, image)
    return [(f"the disk of {variant}", lambda variant=variant: disk(variant)) for variant in _of("variant")]


def _of(field):
    """The values that kinds of guest have there, in the order of their cases."""
    return list(dict.fromkeys(value for profile in PROFILES.values() if not profile.rare and (value := getattr(profile, field))))


def run(wanted_accel, only_base):
    """Two things at a time: what is downloaded beside what is installed."""
    began = time.monotonic()

    def make(jobs):
        ok = True
        for what, job in jobs:
            since = time.monotonic()
            try:
                job()
                said = "ready"
            except images.Unavailable as why:
                said = f"not to be had: {why}"
            except Exception as why:
                ok, said = False, f"failed: {why}"
            print(f"[{time.monotonic() - began:6.1f}] {what}: {said} after {time.monotonic() - since:.1f} s", flush=True)
        return ok
    work = [_base(), _fetched()] if only_base else [_disks(wanted_accel)]
    with ThreadPoolExecutor(len(work)) as pool:
        return int(not all(pool.map(make, work)))
