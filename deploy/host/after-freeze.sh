#!/bin/sh
# After a guest stood still and runs again: a hot upgrade of QEMU, a migration (on the destination), a restore.
# usage: after-freeze.sh SOCKET [EVENT]    EVENT: hot-upgrade (default), migrated, restored, snapshot, resumed
# SOCKET belongs to the QEMU that runs the guest now. Start it right after QMP's `cont`, or its event RESUME.
# Ends when the guest's clock is repaired and verified; the exit code is clockmend-host's (0: right).
exec "${CLOCKMEND_HOST:-clockmend-host}" notify --socket "$1" --event "${2:-hot-upgrade}" --wait --deadline 60s
