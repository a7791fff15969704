#!/bin/sh
# Where clockmend-host is not installed: one line is enough to tell a guest that it stood still.
# usage: one-line-hook.sh SOCKET [EVENT]
# shut-none: QEMU takes a half-closed connection for one that has gone, and drops the guest's answer.
# Without the exchange of stamps the guest only knows that it is not earlier than this, and asks its other witnesses at once.
printf '{"execute":"clock-notify","arguments":{"event":"%s","sent-realtime-ns":%s}}\n' "${2:-resumed}" "$(date +%s%N)" |
    socat -t 1 - "UNIX-CONNECT:$1,shut-none"
