#!/bin/sh
#
# Start threatstopd and run an update. Send SIGTERM; then start again and send SIGINT.
# Check each time that it ends with status 0 within five seconds, that the engine is gone with it,
# that the socket of a dead one does not hinder a start, and that table and file stay.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 100 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config
for signal in TERM INT; do
	start
	update
	child=$(engine)
	stop_service $signal
	wait_for 2 "the engine stays" gone "$child"
	holds $BLOCK "$dir/block" || fail "the table does not stay"
	cmp "$dir/block" "$dir/tables/$BLOCK.pftable"
done
