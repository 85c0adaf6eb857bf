#!/bin/sh
#
# Start threatstopd and run an update of 100 entries. Lower max_entries to 50 and send SIGHUP.
# Check that the process id of the service stays, that there is a new engine, and that an update now
# is refused for max_entries. Raise it again and run "threatstopctl reload".
# Check that an update is not refused any more, and that the table was the same all the time.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 100
first=$(engine)

config 'guard.max_entries = 50'
kill -HUP "$monitor"
wait_for 10 "the engine is not replaced" gone "$first"
wait_for 10 "no new engine" ready
second=$(engine)
no_update
expect_line 'max_entries'
# "threatstopctl show" has no room for that many now
holds $BLOCK "$dir/block" || fail "the table does not stay"

config
ctl reload
wait_for 10 "the engine is not replaced" gone "$second"
wait_for 10 "no new engine" ready
update
expect_table $BLOCK "$dir/block"
stop_service
