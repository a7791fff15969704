"""All cases, in the order in which they run: those of one kind of guest together."""
from . import channel, config, daemons, disruptions, hotplug, kvm, migration, ntp, others, package, ptp, rig, rtc, soak, vmclock, witnesses


def all_cases():
    """Ordered by profile so that a guest is booted once per profile; what spoils a guest comes last."""
    cases = [*rig.CASES, *disruptions.CASES, *migration.CASES[:2], *witnesses.CASES, *rtc.CASES, *ntp.CASES, *daemons.CASES, *channel.CASES, *config.CASES, *package.CASES,
             *witnesses.LAST, *others.CASES, *migration.CASES[2:], *vmclock.CASES, *hotplug.CASES, *ptp.CASES, *kvm.CASES, *soak.CASES]
    names = [case.name for case in cases]
    assert len(names) == len(set(names)), "two cases share a name"
    return cases
