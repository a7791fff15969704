"""Child processes that cannot outlive us: PDEATHSIG, a deadline, ended by pid."""
import atexit
import os
import shutil
import signal
import subprocess
import sys
import threading

_children = []


def without_sys_time():
    """Re-executes the calling script without CAP_SYS_TIME, so that nothing below can set this machine's clock."""
    if not _may_have_sys_time():
        return
    os.execvp("setpriv", ["setpriv", "--bounding-set=-sys_time", "--inh-caps=-sys_time", sys.executable, *sys.orig_argv[1:]])


def end_on_sigterm():
    """Whoever ends us by SIGTERM gets what Ctrl-C gets: guests, servers and namespaces go too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def _may_have_sys_time():
    """We, or a child of ours (capabilities(7): root's get what is in the bounding or the inheritable set)."""
    with open("/proc/self/status", encoding="ascii") as status:
        sets = [line.split()[1] for line in status if line.startswith(("CapInh:", "CapEff:", "CapBnd:"))]
    return any(int(mask, 16) >> 25 & 1 for mask in sets)  # CAP_SYS_TIME is 25, linux/capability.h


def bound(argv):
    """The command, killed when the thread that starts it ends: setpriv sets the signal and then execs, no code of ours runs
    between fork and exec."""
    return ["setpriv", "--pdeathsig", "KILL", "--", *map(str, argv)]


def bound_tree(argv):
    """The same for a script and everything it starts: they live in a PID namespace, which ends with its first process."""
    return bound(["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--", *argv])


class Child:
    """A process with its output in a file. `deadline_s` is the longest it may live."""

    def __init__(self, argv, log_path, deadline_s, env=None, netns=None):
        if netns:
            argv = ["ip", "netns", "exec", netns, *argv]
        self.log_path = str(log_path)
        with open(log_path, "ab") as log:
            self._process = subprocess.Popen(bound(argv), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env)
        self.pid = self._process.pid
        self._timer = threading.Timer(deadline_s, self.kill)
        self._timer.daemon = True
        self._timer.start()
        _children.append(self)

    def running(self):
        return self._process.poll() is None

    def wait(self, timeout_s):
        return self._process.wait(timeout_s)

    def stop(self, grace_s=2.0):
        """SIGTERM, then SIGKILL after the grace."""
        if self.running():
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(grace_s)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def kill(self):
        self._timer.cancel()
        if self.running():
            self._process.kill()
            self._process.wait()
        if self in _children:
            _children.remove(self)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()


def run(argv, timeout_s=60, check=True):
    """A short command to its end; returns its output as text."""
    done = subprocess.run(bound(argv), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout_s, check=False)
    if check and done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, argv))}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def missing_tools(*names):
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    return [name for name in names if not shutil.which(name, path=path)]


@atexit.register
def _end_all():
    for child in list(_children):
        child.kill()
