#!/bin/sh
#
# Start threatstopd and run an update.
# Check with fstat(1) that the helper has /dev/pf open and the engine does not, that neither has
# the configuration or a password file open, and that the helper has no socket of the net.

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
users /dev/pf | grep -qx "$helper" || fail "fstat does not show /dev/pf of the helper"
! users /dev/pf | grep -qx "$child" || fail "the engine has /dev/pf"
for file in "$conf" /etc/master.passwd /etc/spwd.db; do
	! users "$file" | grep -qx -e "$helper" -e "$child" || fail "$file is open"
done
! fstat -p "$helper" | grep internet || fail "the helper has a socket of the net"
stop_helper
