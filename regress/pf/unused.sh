#!/bin/sh
#
# Load the tables into the anchor, without rules. Start threatstopd and run an update.
# Check that update and "status" say that nothing is blocked. Load the rules.
# Check that "status" says so no more.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

grep '^table' "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
begin 10
warning="pf table <$BLOCK> is not used by any rule: nothing is blocked"
expect_line "$warning"
state "$warning" || fail "no warning: $(ctl status)"
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
! state "$warning" || fail "the warning stays: $(ctl status)"
stop_service
