#!/bin/sh
#
# Start threatstopd. Start another one for the same table directory, with a socket of its own.
# Check that the second says "threatstopd already running" and exits 1, that the socket of the first
# is still there, and that the first goes on.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 10
for socket in "$sock" "$dir/other"; do
	"$THREATSTOPD" -d -f "$conf" -s "$socket" >"$dir/out" 2>&1 &&
		fail "started twice" || status=$?
	[ "$status" -eq 1 ] || fail "exit status $status"
	expect_line 'threatstopd already running'
done
update
expect_table $BLOCK "$dir/block"
stop_service
