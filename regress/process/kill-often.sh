#!/bin/sh
#
# Two lists of 3,000 entries, of which half are in both, are served in turn. Twelve times: start an
# update, and a little later than the last time kill engine, helper or monitor, in turn.
# Check each time that the table file is one list or the other whole, that the kernel has neither
# less nor more than one of them, and in pf that the anchor with its tables still loads.
# In the end run an update in peace. Check that kernel and file have the list that is served.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 3000 >"$dir/one"
addresses 4500 | tail -n 3000 >"$dir/two"
sort "$dir/one" >"$dir/one.sorted"
sort "$dir/two" >"$dir/two.sorted"
: >"$dir/allow"
serve "$dir/one" "$dir/allow"
config
start
update

round=0
while [ $round -lt 12 ]; do
	round=$((round + 1))
	list=two
	[ $((round % 2)) -eq 0 ] || list=one
	serve "$dir/$list" "$dir/allow"
	ctl update -f >"$dir/out" 2>&1 &
	asking=$!
	sleep "0.$(printf %02d $round)"
	case $((round % 3)) in
	0) kill_monitor ;;
	1) kill -9 "$(engine)" || : ;;
	2) kill -9 "$(helper)" || : ;;
	esac
	wait $asking || :
	# each is read once: the helper may be in the middle of the update
	sort "$dir/tables/$BLOCK.pftable" >"$dir/file"
	kernel $BLOCK | sort >"$dir/table"
	for seen in file table; do
		cmp -s "$dir/$seen" "$dir/one.sorted" || cmp -s "$dir/$seen" "$dir/two.sorted" ||
			fail "round $round: the $seen is neither list: $(wc -l <"$dir/$seen") entries"
	done
	[ "$backend" = simulated ] || $PFCTL -nq -a "$anchor" -f "$dir/anchor.conf"
	if [ -z "$monitor" ]; then
		start
	else
		wait_for 70 "round $round: no new engine" ready
	fi
done

update -f
expect_table $BLOCK "$dir/$list"
stop_service
