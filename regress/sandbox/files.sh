#!/bin/sh
#
# Start threatstopd and run an update.
# Check with fstat(1) that the helper has /dev/pf open and neither monitor nor engine, that none has
# the configuration or a password file open, and that neither monitor nor helper has a socket of the
# net.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_pf

users() {
	fstat "$1" | awk 'NR > 1 { print $3 }'
}

begin 10
child=$(engine)
pf=$(helper)
users /dev/pf | grep -qx "$pf" || fail "fstat does not show /dev/pf of the helper"
! users /dev/pf | grep -qx "$monitor" || fail "the monitor has /dev/pf"
! users /dev/pf | grep -qx "$child" || fail "the engine has /dev/pf"
for file in "$conf" /etc/master.passwd /etc/spwd.db; do
	! users "$file" | grep -qx -e "$monitor" -e "$pf" -e "$child" || fail "$file is open"
done
for root in "$monitor" "$pf"; do
	! fstat -p "$root" | grep internet || fail "$root has a socket of the net"
done
stop_service
