#!/bin/sh
#
# Start threatstopd and run an update of 100 entries. Fill pf up to its limit table-entries with
# another table in the anchor, all but about a thousand. Serve a list of 5,000.
# Check that an update fails, names the limit to set, and leaves kernel and file with the 100.
# Take the other table away. Check that an update succeeds.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

limit=$($PFCTL -sm | awk '$1 == "table-entries" { print $4 }')
[ "$limit" -le 1000000 ] || skip "a limit of $limit entries takes too long to fill"
addresses 5000 >"$dir/many"
begin 100 'guard.max_growth = 100000'

addresses $((limit - 1000)) 10.0 >"$dir/filler"
# replace, for add would wait in the kernel when there is no room
$PFCTL -q -a "$anchor" -t filler -T replace -f "$dir/filler" ||
	skip "other tables of this host are too large"
serve "$dir/many" "$dir/allow"
no_update
expect_line 'do not fit; put "set limit table-entries [0-9]*" above the tables of pf.conf'
expect_table $BLOCK "$dir/block"

$PFCTL -q -a "$anchor" -t filler -T kill
update
expect_table $BLOCK "$dir/many"
stop_service
