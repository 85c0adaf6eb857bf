#!/bin/sh
#
# Start threatstopd and run an update. Kill the engine with SIGKILL.
# Check that the service keeps its process id, logs the signal, and starts another engine; that the
# table stays meanwhile; and that updates go on.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 120 >"$dir/more"
begin 100
first=$(engine)

kill -9 "$first"
holds $BLOCK "$dir/block" || fail "the table does not stay"
wait_for 10 "no new engine" another_engine "$first"
expect_line 'engine terminated; signal 9' "$dir/log"
serve "$dir/more" "$dir/allow"
update
expect_table $BLOCK "$dir/more"
stop_service
