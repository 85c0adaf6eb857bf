#!/bin/sh
#
# Start threatstopd and run an update. Make the block table const in the anchor. Serve another list.
# Check that an update fails, says what to change, and leaves kernel and file with the first list.
# Take the const away. Check that an update succeeds.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

addresses 150 >"$dir/two"
begin 100

sed "/^table <$BLOCK>/s/persist/const persist/" "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
serve "$dir/two" "$dir/allow"
no_update
expect_line 'a const table; remove that word in pf.conf'
expect_table $BLOCK "$dir/block"

$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
update
expect_table $BLOCK "$dir/two"
stop_helper
