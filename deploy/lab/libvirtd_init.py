"""The first process of a PID, mount and network namespace of its own: keeps a libvirtd of the test, which can be stopped and
started again while its guests go on. Everything in the namespace ends with this process.

  libvirtd_init.py FOLDER     commands, one a line, in FOLDER/commands (a FIFO): stop, start, hang, wake; FOLDER/done tells each
"""
import os
import signal
import subprocess
import sys
import time

FOLDER = sys.argv[1]


def mounts():
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    # libvirt reads its hooks from here whatever the configuration says.
    subprocess.run(["mount", "--bind", f"{FOLDER}/etc", "/etc/libvirt"], check=True)


def start():
    """Not root in its user namespace: libvirt's session mode, which keeps everything below XDG_* and touches no cgroup, bridge or
    firewall. Files are still ours: that id is only another name for ours."""
    places = {f"XDG_{name}": f"{FOLDER}/{place}" for name, place in
              (("RUNTIME_DIR", "run"), ("CONFIG_HOME", "conf"), ("CACHE_HOME", "cache"), ("DATA_HOME", "data"))}
    command = ["unshare", "--user", "--map-user=65534", "--map-group=65534", "--", "libvirtd", "--config", f"{FOLDER}/libvirtd.conf",
               "--pid-file", f"{FOLDER}/libvirtd.pid"]
    pid = os.fork()
    if pid == 0:
        os.execvpe(command[0], command, {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": f"{FOLDER}/home", **places})
    return pid


def reap(*_):
    """QEMU is a child of nobody else's; libvirt takes one that ended, but is still there, for one that cannot be killed."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def stop(pid):
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + 15
    while os.path.exists(f"/proc/{pid}"):
        if time.monotonic() > end:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)


def main():
    mounts()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGCHLD, reap)
    pid = start()
    with open(os.open(f"{FOLDER}/commands", os.O_RDWR), encoding="ascii") as commands, \
            open(f"{FOLDER}/done", "a", encoding="ascii", buffering=1) as done:
        for word in commands:
            word = word.strip()
            if word == "stop":
                stop(pid)
            elif word == "start":
                pid = start()
            else:
                os.kill(pid, {"hang": signal.SIGSTOP, "wake": signal.SIGCONT}[word])
            done.write(word + "\n")


if __name__ == "__main__":
    main()
