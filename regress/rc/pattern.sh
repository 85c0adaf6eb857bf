#!/bin/sh
#
# Start threatstopd. Look for processes as rc.subr(8) does, by the whole command line.
# Check that it finds the helper and not the engine; after a reload, which executes the helper
# anew, too.

. "$(dirname "$0")/../lib.sh"
need_programs
prefer_pf

config
start
for round in before after; do
	found=$(pgrep -xf "$THREATSTOPD -d -f $conf -s $sock")
	[ "$found" = "$helper" ] || fail "$round the reload: found $found, not $helper alone"
	first=$(engine)
	ctl reload
	wait_for 10 "no new engine" another_engine "$first"
done
stop_helper
