#!/bin/sh
#
# Start threatstopd and run an update. Kill the helper with SIGKILL.
# Check that the engine leaves by itself, and that table and file stay.
# Start it again. Check that it starts, without a complaint about lock or socket, and updates.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 100
child=$(engine)

kill_helper
wait_for 5 "the engine stays" gone "$child"
holds $BLOCK "$dir/block" || fail "the table does not stay"
cmp "$dir/block" "$dir/tables/$BLOCK.pftable"

start
update
expect_table $BLOCK "$dir/block"
stop_helper
