#!/bin/sh
#
# Start threatstopd and run an update.
# Check with ps(1) that each of the three processes has exactly the promises that its source names, that
# all have locked unveil(2), and that the engine belongs to the configured user alone.
# Check the same after a reload, which starts helper and engine anew.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_tree src
need_pf

# The promises of a process, one a line; those of a source file.
held() {
	ps -ww -o pledge= -p "$1" | tr -d ' ' | tr , '\n' | sort
}

named() {
	sed -n 's/^const PROMISES: &str = "\(.*\)";$/\1/p' "$regress/../src/$1" | tr ' ' '\n' | sort
}

look() {
	child=$(engine)
	for pair in "$monitor threatstopd/monitor/begin.rs" "$(helper) threatstopd/helper/start.rs" \
	    "$child engine/startup.rs"; do
		named "${pair#* }" >"$dir/named"
		[ -s "$dir/named" ] || fail "no promises in ${pair#* }"
		held "${pair% *}" | diff -u "$dir/named" - || fail "${pair#* }: other promises"
		ps -o stat= -p "${pair% *}" | grep -q 'p.*U' || fail "unveil is not locked"
	done
	# by number, for ps cuts names off
	for id in uid ruid; do
		[ "$(ps -o $id= -p "$child")" -eq "$(id -u "$user")" ] || fail "the engine is not $user's"
	done
}

begin 10
look
first=$child
ctl reload
wait_for 10 "no new engine" another_engine "$first"
update
look
stop_service
