"""What a case says while it runs, and its verdict."""
import time
from dataclasses import dataclass, field
from typing import Callable


class Skip(Exception):
    """The case cannot run here; the text says why."""


class GiveUp(Exception):
    """Going on makes no sense; the failed expectation is already noted."""


@dataclass(frozen=True)
class Case:
    """`profile` is the kind of guest it needs (profiles.py). `long`: only in the full run. `spoils`: no other case
    may use the guest afterwards. `deadline_s` bounds it. `fault`: what goes wrong meanwhile, for the table of faults."""
    name: str
    run: Callable
    profile: str = "ntpsec"
    long: bool = False
    spoils: bool = False
    deadline_s: int = 240
    fault: str = ""


@dataclass
class Log:
    """Lines go to `out` at once; failed expectations are counted."""
    out: Callable[[str], None]
    failed: list = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def say(self, text):
        for line in str(text).splitlines() or [""]:
            self.out(f"[{time.monotonic() - self.began:6.1f}] {line}")

    def expect(self, held, text):
        self.say(f"{'ok' if held else 'FAILED'}: {text}")
        if not held:
            self.failed.append(text)
        return bool(held)

    def require(self, held, text):
        if not self.expect(held, text):
            raise GiveUp(text)
