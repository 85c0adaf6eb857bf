#!/bin/sh
#
# Serve two lists of 2,000 entries in turn and update ten times, while pfctl loads the anchor with
# its table files again and again. The check_interval is a second.
# Check that each load succeeds, that the table was never empty, and that in the end kernel and
# file have the last list: a load that was under way may have put the list before back, for a
# moment.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

addresses 2000 >"$dir/list.0"
addresses 2000 198.19 >"$dir/list.1"
: >"$dir/allow"
serve "$dir/list.0" "$dir/allow"
config 'tables.check_interval = "1s"'
start
update

(
	trap - EXIT
	while [ ! -e "$dir/enough" ]; do
		$PFCTL -q -a "$anchor" -f "$dir/anchor.conf" || echo "not loaded"
		echo "$(kernel $BLOCK | wc -l)" entries
	done >"$dir/seen" 2>&1
) &
loader=$!
for round in 1 2 3 4 5 6 7 8 9 10; do
	serve "$dir/list.$((round % 2))" "$dir/allow"
	update
done
: >"$dir/enough"
wait $loader
[ "$(wc -l <"$dir/seen")" -ge 10 ] || fail "loaded too seldom to tell"
! grep -qvw '2000 entries' "$dir/seen" || fail "$(sort "$dir/seen" | uniq -c)"
wait_for 10 "the last list is not in the table" holds $BLOCK "$dir/list.0"
expect_table $BLOCK "$dir/list.0"
stop_service
