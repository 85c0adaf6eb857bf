#!/bin/sh
#
# Start threatstopd and run an update. Kill the helper with SIGKILL.
# Check that the service keeps its process id, logs the signal, and starts helper and engine anew;
# that the table stays meanwhile; and that updates go on.
# Kill the monitor. Check that helper and engine leave by themselves, and that table and file stay.
# Start it again. Check that it starts, without a complaint about lock or socket, and updates.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 100
first=$(engine)
second=$(helper)

kill -9 "$second"
holds $BLOCK "$dir/block" || fail "the table does not stay"
wait_for 10 "no new engine" another_engine "$first"
expect_line 'helper terminated; signal 9' "$dir/log"
gone "$second" || fail "the helper stays"
update

first=$(engine)
second=$(helper)
kill_monitor
wait_for 5 "the engine stays" gone "$first"
wait_for 5 "the helper stays" gone "$second"
holds $BLOCK "$dir/block" || fail "the table does not stay"
cmp "$dir/block" "$dir/tables/$BLOCK.pftable"

start
update
expect_table $BLOCK "$dir/block"
stop_service
