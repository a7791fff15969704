#!/usr/bin/python3
"""Records what happens to a real guest's clocks, as JSON beside this file. No agent and no time daemon runs in the guest.

  record.py [NAME...]      all machines of MACHINES, or those named
  record.py --list         their names
  record.py --table        what the files say, as a table
"""
import argparse
import json
import platform
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "deploy"))
from lab import images, proc  # noqa: E402
from lab.network import Network  # noqa: E402
from lab.vm import Vm  # noqa: E402

GAP_S = 5.0
ALL = ("idle", "stop-cont", "savevm", "loadvm-fresh", "migrate-file", "migrate-live", "hwclock-w", "stop-cont", "loadvm-fresh",
       "migrate-file", "s2idle", "s3", "loadvm-same")
NEWER = (*ALL[:ALL.index("s2idle")], "loadvm-same", "s3")  # a 7.3 guest woke from neither suspend; the failure is kept
SHORT = ("idle", "stop-cont", "savevm", "loadvm-fresh", "migrate-file", "loadvm-same", "s3")
PORTS = ("pcie-root-port,id=rp0,chassis=10,slot=10", "pcie-root-port,id=rp1,chassis=11,slot=11")
NICS = ("igb,id=igb0,bus=rp0,mac=52:54:00:00:00:01,romfile=", "e1000e,id=e0,bus=rp1,mac=52:54:00:00:00:02,romfile=")


@dataclass(frozen=True)
class Machine:
    """kernel: "" is the image's own, else a flavour of the newer one; newer_qemu: not the installed QEMU."""
    events: tuple
    clocksource: str = "tsc"
    rtc: str = "host"
    kernel: str = ""
    newer_qemu: bool = False
    devices: tuple = ()
    modules: str = ""


MACHINES = {
    "tsc": Machine(ALL),
    "hpet": Machine(SHORT, clocksource="hpet"),
    "acpi_pm": Machine(SHORT, clocksource="acpi_pm"),
    "tsc-rtc-rt": Machine(SHORT, rtc="rt"),
    "tsc-rtc-vm": Machine(SHORT, rtc="vm"),
    "tsc-qemu10": Machine(ALL, newer_qemu=True),
    "vmclock": Machine(NEWER, kernel="cloud", newer_qemu=True, devices=("vmclock", "vmgenid,guid=auto"), modules="ptp_vmclock"),
    "ptp": Machine(NEWER, kernel="generic", newer_qemu=True, devices=PORTS + NICS, modules="igb,e1000e"),
}


class Recorder:
    def __init__(self, vm):
        self._vm = vm
        self._tsc_hz = 0.0
        self._logged = len(vm.exec.run("dmesg").output.splitlines())

    def _look(self):
        """From outside twice, so that the guest's rate in between is known, and from inside."""
        first = self._vm.observer.best(16)
        inside = json.loads(self._vm.exec.check("/run/clock_tool look rtc"))
        return {"outside": [_outside(first), _outside(self._vm.observer.best(16))], "inside": inside}

    def calibrate(self, seconds=8):
        began = json.loads(self._vm.exec.check("/run/clock_tool look"))
        time.sleep(seconds)
        ended = json.loads(self._vm.exec.check("/run/clock_tool look"))
        self._tsc_hz = (ended["tsc"] - began["tsc"]) / (ended["raw_ns"] - began["raw_ns"]) * 1e9
        return self._tsc_hz

    def record(self, event):
        before = self._look()
        host = EVENTS[event](self._vm)
        after = self._look()
        log = self._vm.exec.run("dmesg").output.splitlines()
        new, self._logged = log[self._logged:], len(log)
        return {"event": event, "lost_ns": self._lost(before, after), "host": host, "before": before, "after": after,
                "kernel_log": new[-25:]}

    def _lost(self, before, after):
        """How much each clock went less than the host's REALTIME from the first look to the second; a difference of
        offsets for the clocks that are read beside REALTIME."""
        start, end = before["outside"][0], after["outside"][0]
        elapsed = end["host_ns"] - start["host_ns"]
        lost = {name: elapsed - (end[f"{name}_ns"] - start[f"{name}_ns"]) for name in ("realtime", "monotonic", "raw", "boottime")}
        one, two = before["inside"], after["inside"]
        # The inside look's place on the host's axis: guest REALTIME is known against the host there.
        inside_elapsed = (two["realtime_ns"] - _error(end)) - (one["realtime_ns"] - _error(start))
        lost["tsc"] = round(inside_elapsed - (two["tsc"] - one["tsc"]) / self._tsc_hz * 1e9)
        if "rtc" in one and "rtc" in two:
            lost["rtc"] = (one["rtc"]["offset_ns"] + _error(start)) - (two["rtc"]["offset_ns"] + _error(end))
        for old in one["ptp"]:
            new = next((each for each in two["ptp"] if each["device"] == old["device"]), None)
            if new and "offset_ns" in old and "offset_ns" in new:
                lost[f"ptp {old['clock_name']}"] = (old["offset_ns"] + _error(start)) - (new["offset_ns"] + _error(end))
        return lost


def _error(outside):
    return outside["realtime_ns"] - outside["host_ns"]


def _outside(sample):
    return {"host_ns": (sample.before + sample.after) // 2, "uncertainty_ns": sample.uncertainty, "realtime_ns": sample.realtime,
            "monotonic_ns": sample.monotonic, "raw_ns": sample.raw, "boottime_ns": sample.boottime}


def _idle(_vm):
    time.sleep(GAP_S)
    return {}


def _stop_cont(vm):
    stopped = vm.stop()
    time.sleep(GAP_S)
    return {"stopped_ns": stopped, "resumed_ns": vm.cont()}


def _savevm(vm):
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    vm.savevm("trace")
    return {"stopped_ns": began, "resumed_ns": time.clock_gettime_ns(time.CLOCK_REALTIME)}


def _loadvm_fresh(vm):
    vm.savevm("trace")
    saved = time.clock_gettime_ns(time.CLOCK_REALTIME)
    time.sleep(GAP_S)
    return {"saved_ns": saved, "resumed_ns": vm.restart_from("trace")}


def _loadvm_same(vm):
    vm.savevm("trace")
    saved = time.clock_gettime_ns(time.CLOCK_REALTIME)
    time.sleep(GAP_S)
    vm.loadvm("trace")
    return {"saved_ns": saved, "resumed_ns": time.clock_gettime_ns(time.CLOCK_REALTIME)}


def _migrate_file(vm):
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    return {"began_ns": began, "resumed_ns": vm.migrate_through_file(GAP_S)}


def _migrate_live(vm):
    stopped, resumed = vm.migrate_live()
    return {"stopped_ns": stopped, "resumed_ns": resumed}


def _hwclock(vm):
    """The guest writes its RTC: the second's edge moves in the device."""
    vm.exec.check("hwclock -w", 60)
    return {}


def _suspend(vm, how, wake):
    vm.exec.check(f"echo {how} > /sys/power/mem_sleep")
    began = time.clock_gettime_ns(time.CLOCK_REALTIME)
    vm.exec.check("(sleep 0.5; echo mem > /sys/power/state) > /dev/null 2>&1 &")
    time.sleep(GAP_S)
    vm.qmp.command(wake)
    resumed = time.clock_gettime_ns(time.CLOCK_REALTIME)
    vm.observer.sample(30)
    return {"began_ns": began, "resumed_ns": resumed}


def _s2idle(vm):
    return _suspend(vm, "s2idle", "system_powerdown")  # the power button's interrupt; no logind listens to the button


def _s3(vm):
    return _suspend(vm, "deep", "system_wakeup")


EVENTS = {"idle": _idle, "stop-cont": _stop_cont, "savevm": _savevm, "loadvm-fresh": _loadvm_fresh, "loadvm-same": _loadvm_same,
          "migrate-file": _migrate_file, "migrate-live": _migrate_live, "hwclock-w": _hwclock, "s2idle": _s2idle, "s3": _s3}


def _conditions(name, machine, vm):
    version = vm.qmp.command("query-version")
    return {
        "machine": name, "qemu": ".".join(str(version["qemu"][part]) for part in ("major", "minor", "micro")) + " " + version["package"],
        "qemu_arguments": "-machine q35 -accel tcg -cpu max -smp 1 -m 512 " + " ".join(f"-device {each}" for each in vm.devices),
        "kernel": vm.exec.check("uname -r").strip(), "clocksource": machine.clocksource, "rtc": f"base=utc,clock={machine.rtc}",
        "gap_s": GAP_S, "host_kernel": platform.release(), "recorded": time.strftime("%Y-%m-%d", time.gmtime()),
        "note": "TCG on a shared machine of two processors; noise of a few milliseconds belongs to it. Uncertainty of the outside "
                "reading is half its round trip.",
    }


def _boot(machine, network):
    image = images.build("none")
    if machine.kernel:
        image = images.newer_kernel(image, machine.kernel)
    words = f"clocksource={machine.clocksource}" + (f" modules-load={machine.modules}" if machine.modules else "")
    return Vm(image, network=network, cmdline=words, qemu=images.newer_qemu() if machine.newer_qemu else None,
              devices=machine.devices, rtc=machine.rtc)


def record(name):
    machine = MACHINES[name]
    network = Network("user")
    try:
        with _boot(machine, network) as vm:
            vm.start().wait_booted()
            vm.exec.push("/run/clock_tool", images.clock_tool().read_bytes())
            vm.exec.check("chmod +x /run/clock_tool && echo $(cat /sys/devices/system/clocksource/clocksource0/current_clocksource) "
                          f"| grep -qx {machine.clocksource} && udevadm settle", 90)
            recorder = Recorder(vm)
            trace = {**_conditions(name, machine, vm), "tsc_hz": round(recorder.calibrate()), "events": []}
            for event in machine.events:
                try:
                    trace["events"].append(recorder.record(event))
                except TimeoutError:
                    trace["events"].append({"event": event, "failed": "the guest did not answer any more"})
                    print(f"{name:12} {event:14} the guest did not answer any more", flush=True)
                    break
                lost = trace["events"][-1]["lost_ns"]
                print(f"{name:12} {event:14} lost ms: " + "  ".join(f"{clock} {ns / 1e6:+.3f}" for clock, ns in lost.items()), flush=True)
    finally:
        network.close()
    (HERE / f"{name}.json").write_text(json.dumps(trace, indent=1) + "\n", encoding="utf-8")


def table():
    """One row per event: what each clock lost, in ms."""
    print("| machine | kernel, QEMU | event | REALTIME | MONOTONIC | BOOTTIME | TSC | RTC | PTP, vmclock |\n|---|---|---|---|---|---|---|---|---|")
    for name in MACHINES:
        path = HERE / f"{name}.json"
        if not path.exists():
            continue
        trace = json.loads(path.read_text(encoding="utf-8"))
        versions = f"{trace['kernel'].split('-')[0].split('+')[0]}, {trace['qemu'].split()[0]}"
        for event in trace["events"]:
            if "failed" in event:
                print(f"| {name} | {versions} | {event['event']} | {event['failed']} | | | | | |")
                continue
            lost = {clock: f"{ns / 1e6:.1f}" for clock, ns in event["lost_ns"].items()}
            more = [f"{clock} {ms}" for clock, ms in lost.items() if clock.startswith("ptp")] + _marker(event)
            row = [lost[clock] for clock in ("realtime", "monotonic", "boottime", "tsc")] + [lost.get("rtc", ""), ", ".join(more)]
            print(f"| {name} | {versions} | {event['event']} | " + " | ".join(row) + " |")


def _marker(event):
    before, after = (event[when]["inside"].get("vmclock") for when in ("before", "after"))
    return [f"marker {before['disruption_marker']} -> {after['disruption_marker']}"] if before and after else []


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--table", action="store_true")
    options = parser.parse_args()
    if options.list:
        print("\n".join(MACHINES))
        return 0
    if options.table:
        table()
        return 0
    proc.without_sys_time()
    proc.end_on_sigterm()
    for name in options.names or list(MACHINES):
        try:
            record(name)
        except images.Unavailable as reason:
            print(f"{name}: left out: {reason}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
