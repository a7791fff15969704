"""Progress on the terminal, and the list of what did not hold."""
import sys
import time


class Screen:
    def __init__(self):
        self.failed = []
        self._began = time.monotonic()
        self._live = sys.stdout.isatty()

    def _stamp(self):
        return f"[{time.monotonic() - self._began:6.1f} s]"

    def title(self, text):
        print(f"\n{self._stamp()} == {text}", flush=True)

    def say(self, text):
        print(f"{self._stamp()} {text}", flush=True)

    def block(self, text):
        print(text, flush=True)

    def countdown(self, seconds, text):
        """Waits; shows the seconds left on a terminal, a line now and then elsewhere."""
        end = time.monotonic() + seconds
        shown = None
        while (left := end - time.monotonic()) > 0:
            step = int(left) if self._live else int(left) // 10
            if step != shown:
                shown = step
                line = f"{self._stamp()} {text}, {left:.0f} s left"
                print(f"\r{line}\x1b[K" if self._live else line, end="" if self._live else "\n", flush=True)
            time.sleep(min(left, 0.1))
        if self._live:
            print("\r\x1b[K", end="", flush=True)

    def expect(self, held, text):
        print(f"    {'ok    ' if held else 'FAILED'} {text}", flush=True)
        if not held:
            self.failed.append(text)
        return held

    def verdict(self):
        if not self.failed:
            self.title("all held")
            return 0
        self.title(f"{len(self.failed)} expectations did not hold:")
        for text in self.failed:
            print(f"    {text}", flush=True)
        return 1
