#!/bin/sh
#
# Serve a block list and run an update. Stop, end the policy service, and remove the copy of the list
# from the engine's directory. Start.
# Check that the table stays as it is, also when an address is protected by a reload, which is let
# through; and that nothing can be rolled back to.
# Serve the list again. Check that an update brings it, and that "why" names it.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 50
stop_service
quiet "$nameserver"
nameserver=
rm "$dir/spool/lists/basic.threatstop.local.list"
start
no_update
expect_table $BLOCK "$dir/block"
ctl why 198.18.0.2 >"$dir/out" || fail "198.18.0.2 is not blocked: $(cat "$dir/out")"
! grep -q basic "$dir/out" || fail "where is the list from?"

config 'guard.never_block = ["198.18.0.2"]'
ctl reload
grep -v '^198\.18\.0\.2$' "$dir/block" >"$dir/less"
wait_for 20 "what is protected is not let through" holds $BLOCK "$dir/less"
expect_table $BLOCK "$dir/less"
! ctl rollback >"$dir/out" 2>&1 || fail "rollback: $(cat "$dir/out")"
expect_line 'the table in force stands in for it'
expect_table $BLOCK "$dir/less"

serve "$dir/block" "$dir/allow"
update
expect_table $BLOCK "$dir/less"
ctl why 198.18.0.4 >"$dir/out"
expect_line 'basic.threatstop.local'
stop_service
