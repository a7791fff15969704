"""All cases, in the order in which they run: those of one kind of guest together."""
from harness.profiles import PROFILES

from . import (applications, backends, channel, clients, config, daemons, disruptions, drivers, faults_around, faults_kill, hooks, hotplug, kvm, libvirt, libvirt_images,
               libvirt_pauses, libvirt_trouble, migration, ntp, others, package, ptp, rig, rtc, soak, vmclock, witnesses)

PARTS = (rig, disruptions, migration, hooks, witnesses, rtc, ntp, daemons, drivers, backends, applications, faults_around, faults_kill, channel, config, others, package,
         vmclock, hotplug, ptp, kvm, libvirt, libvirt_pauses, libvirt_images, libvirt_trouble, clients, soak)


def all_cases():
    """Ordered by profile so that a guest is booted once per profile; what spoils a guest comes last."""
    kinds = list(PROFILES)
    cases = [case for part in PARTS for case in part.CASES]
    cases.sort(key=lambda case: (kinds.index(case.profile), case.spoils))
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), "two cases share a name"
    return cases
