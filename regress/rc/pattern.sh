#!/bin/sh
#
# Start threatstopd. Look for processes as rc.subr(8) does, by the whole command line.
# Check that it finds the monitor, and neither helper nor engine nor what ends states; after a reload,
# which starts them anew, too.

. "$(dirname "$0")/../lib.sh"
need_programs
prefer_pf

config "tables.kill_states = true"
start
for round in before after; do
	found=$(pgrep -xf "$THREATSTOPD -d -f $conf -s $sock")
	[ "$found" = "$monitor" ] || fail "$round the reload: found $found, not $monitor alone"
	first=$(engine)
	ctl reload
	wait_for 10 "no new engine" another_engine "$first"
done
stop_service
