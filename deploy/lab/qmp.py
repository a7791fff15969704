"""QEMU machine protocol over its unix socket."""
import json
import socket
import time


class QmpError(RuntimeError):
    pass


class Qmp:
    def __init__(self, path, timeout_s=20):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(timeout_s)
        self._socket.connect(str(path))
        self._file = self._socket.makefile("rwb", buffering=0)
        self.events = []
        self._read()
        self.command("qmp_capabilities")

    def _read(self):
        line = self._file.readline()
        if not line:
            raise QmpError("QEMU closed its monitor")
        return json.loads(line)

    def command(self, execute, timeout_s=120, **arguments):
        self._socket.settimeout(timeout_s)
        request = {"execute": execute}
        if arguments:
            request["arguments"] = {key.replace("_", "-"): value for key, value in arguments.items()}
        self._file.write(json.dumps(request).encode() + b"\n")
        while True:
            message = self._read()
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise QmpError(f"{execute}: {message['error']['desc']}")
            elif "return" in message:
                return message["return"]

    def human(self, line, timeout_s=120):
        """A command of the human monitor (savevm and loadvm exist only there); its errors are text."""
        answer = self.command("human-monitor-command", timeout_s, command_line=line)
        if answer.strip().lower().startswith("error"):
            raise QmpError(f"{line}: {answer.strip()}")
        return answer

    def wait_event(self, name, timeout_s=10):
        end = time.monotonic() + timeout_s
        while True:
            for event in self.events:
                if event["event"] == name:
                    self.events.remove(event)
                    return event
            left = end - time.monotonic()
            if left <= 0:
                raise QmpError(f"no {name} event within {timeout_s} s")
            self._socket.settimeout(left)
            try:
                message = self._read()
            except TimeoutError:
                continue
            if "event" in message:
                self.events.append(message)

    def close(self):
        self._file.close()
        self._socket.close()
