"""The Debian package in a running guest: upgrade, remove, install, purge."""
import tempfile
from pathlib import Path

from harness import repair
from harness.check import Case
from lab import proc


def _newer(deb, folder):
    """The same package with a higher version."""
    tree = Path(folder) / "tree"
    proc.run(["dpkg-deb", "-R", str(deb), str(tree)])
    control = tree / "DEBIAN/control"
    lines = [f"Version: {line.split()[1]}+next" if line.startswith("Version:") else line
             for line in control.read_text(encoding="utf-8").splitlines()]
    control.write_text("\n".join(lines) + "\n", encoding="utf-8")
    newer = Path(folder) / "clockmend_next.deb"
    proc.run(["dpkg-deb", "--root-owner-group", "-b", str(tree), str(newer)])
    return newer


def _dpkg(guest, log, arguments):
    result = guest.exec.run(f"DEBIAN_FRONTEND=noninteractive dpkg {arguments} < /dev/null", 120)
    log.expect(result.code == 0, f"dpkg {arguments}: exit {result.code}" + (f": {result.output.strip()[-600:]}" if result.code else ""))
    return result


def upgrade_remove_purge(guest, log):
    was = repair.before(guest)
    with tempfile.TemporaryDirectory() as folder:
        guest.exec.push("/root/next.deb", _newer(guest.packages.guest_deb, folder).read_bytes())
        guest.exec.push("/root/this.deb", guest.packages.guest_deb.read_bytes())
    guest.exec.check("echo '# a local change' >> /etc/clockmend/clockmend.toml")
    _dpkg(guest, log, "-i /root/next.deb")
    log.expect(guest.agent.pid() not in (0, was.pid), "the upgrade restarted the agent")
    log.expect("a local change" in guest.exec.check("cat /etc/clockmend/clockmend.toml"), "the local configuration was kept")
    guest.wait_settled()
    log.expect(guest.agent.last_number() == was.number, "the upgrade corrected nothing and kept the history")
    repair.daemon_back(guest, log, was, restarted=False)

    _dpkg(guest, log, "-r clockmend")
    log.expect(guest.exec.run("pidof clockmendd").code != 0, "removed: no agent runs")
    log.expect(guest.exec.run("test -e /etc/clockmend/clockmend.toml").code == 0, "removed: the configuration stays")
    repair.daemon_back(guest, log, was, restarted=False)

    _dpkg(guest, log, "-i /root/this.deb")
    log.expect(guest.exec.run("systemctl is-enabled clockmendd").code == 0, "installed again: enabled")
    guest.wait_settled()
    now = repair.before(guest)
    resumed = repair.freeze(guest, log)
    repair.notify(guest, log, resumed)
    repair.healed(guest, log, now, repair.record(guest, log, now))

    now = repair.before(guest)
    _dpkg(guest, log, "-P clockmend")
    left = guest.exec.run("find / -xdev \\( -path /proc -o -path /sys -o -path /var/log -o -path '/root/*' \\) -prune -o -name '*clockmend*' "
                          "-print | grep -v -e clockmend-guest-helper -e systemd-private").output.split()
    log.expect(not left, f"purged: nothing is left ({left})")
    repair.daemon_back(guest, log, now, restarted=False)
    _dpkg(guest, log, "-i /root/this.deb")


CASES = [Case("package_upgrade_remove_purge", upgrade_remove_purge, "chrony", deadline_s=400)]
