#!/bin/sh
# Before a guest stands still: a hot upgrade of QEMU, a migration (on the source), a snapshot.
# usage: before-freeze.sh SOCKET        SOCKET: the host's end of the guest's port org.clockmend.agent.0
# The guest measures its clocks once more, so that it can tell afterwards to the millisecond how long it stood still. That takes
# about 1.2 s and is waited for; a guest that does not answer holds nothing up: after 4 s the freeze goes on without it.
"${CLOCKMEND_HOST:-clockmend-host}" notify --socket "$1" --event pausing --answer-deadline 2s --deadline 4s ||
    echo "before-freeze: $1 was not told, going on" >&2
exit 0
