"""One correction on the host's time axis, from the agent's own report."""
# Row: label, kind of action in the report, which of them counts.
ROWS = (("daemon stopped", "stop-daemon", 0), ("stepped", "step", 0), ("NTP-verified", "verify", -1),
        ("RTC done", "write-rtc", -1), ("daemon running again", "start-daemon", -1))


def detected_ns(report):
    """Host REALTIME of the detection: the record's times are CLOCK_BOOTTIME since then, and its end is stamped when the
    guest's clock is right again."""
    return report["ended_realtime_ns"] - report["duration_ns"]


def timeline(report, since_ns):
    """[(label, ms since `since_ns`, ended well, detail)] in the order of time."""
    base = detected_ns(report) - since_ns
    rows = [("detected", base / 1e6, True, report["discontinuity"]["tripwire"])]
    for label, kind, which in ROWS:
        actions = [action for action in report["actions"] if action["kind"] == kind]
        if actions:
            action = actions[which]
            rows.append((label, (base + action["ended_ns"]) / 1e6, action["ok"], action["detail"]))
    return sorted(rows, key=lambda row: row[1])


def text(report, since_ns, of="resume"):
    lines = [f"    ms since {of}"]
    for label, ms, well, detail in timeline(report, since_ns):
        lines.append(f"    {ms:10.1f}  {label}{'' if well else ' - FAILED'}" + (f"  ({detail})" if detail else ""))
    return "\n".join(lines)
