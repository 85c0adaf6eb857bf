#!/bin/sh
#
# Start threatstopd and run an update. Make the block table const in the anchor. Serve another list.
# Check that an update fails and says what to change, and that kernel and file have the first list still;
# and that "show block" says the same, for pf does not list such a table to the service.
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
holds $BLOCK "$dir/block" || fail "pf table <$BLOCK>: $(diff -u "$dir/want" "$dir/have")"
diff -u "$dir/block" "$dir/tables/$BLOCK.pftable" || fail "the table file differs"
! ctl show block >"$dir/out" 2>&1 || fail "a const table is shown"
expect_line 'a const table; remove that word in pf.conf'

$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
update
expect_table $BLOCK "$dir/two"
stop_service
