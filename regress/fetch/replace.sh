#!/bin/sh
#
# Serve a block list and run an update. Serve another one and run an update.
# Check that the table is the new one, that "show diff" has exactly what came and went, and that
# the set before is in the .prev file.
# Roll back. Check that the first list is in the table and that a restart keeps it there.
# Update by hand. Check that the second one is there again.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

printf '%s\n' 198.51.100.1 198.51.100.9 203.0.113.0/24 >"$dir/one"
printf '%s\n' 198.51.100.9 198.51.100.20 203.0.113.0/24 2001:db8::/32 >"$dir/two"
: >"$dir/allow"

serve "$dir/one" "$dir/allow"
config
start
update
expect_table $BLOCK "$dir/one"

serve "$dir/two" "$dir/allow"
update
expect_table $BLOCK "$dir/two"
cmp "$dir/one" "$dir/tables/$BLOCK.pftable.prev"
ctl show diff >"$dir/out"
printf '%s\n' +198.51.100.20 +2001:db8::/32 -198.51.100.1 >"$dir/diff"
sort "$dir/out" | diff -u "$dir/diff" -

ctl rollback >"$dir/out"
expect_table $BLOCK "$dir/one"
stop_service
start
# the scheduled update that a start brings fetches and does not publish
wait_for 20 "no update after the restart" state '^update .* rolled back '
expect_table $BLOCK "$dir/one"

update
expect_table $BLOCK "$dir/two"
stop_service
