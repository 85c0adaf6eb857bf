#!/bin/sh
#
# Serve two lists in turn, of 2,000 and 2,500 entries, and update ten times, while somebody reads
# table and table file all the time.
# Check that nobody ever saw any other number of entries.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

addresses 2000 >"$dir/list.0"
addresses 2500 198.19 >"$dir/list.1"
: >"$dir/allow"
serve "$dir/list.0" "$dir/allow"
config
start
update
expect_table $BLOCK "$dir/list.0"

(
	trap - EXIT
	while [ ! -e "$dir/enough" ]; do
		kernel $BLOCK | wc -l
		wc -l <"$dir/tables/$BLOCK.pftable"
	done >"$dir/seen"
) &
reader=$!
for round in 1 2 3 4 5 6 7 8 9 10; do
	serve "$dir/list.$((round % 2))" "$dir/allow"
	update
done
: >"$dir/enough"
wait $reader
[ "$(wc -l <"$dir/seen")" -ge 40 ] || fail "read too seldom to tell"
sort "$dir/seen" | uniq -c
! grep -qvw -e 2000 -e 2500 "$dir/seen" || fail "something else was seen"
expect_table $BLOCK "$dir/list.0"
stop_service
