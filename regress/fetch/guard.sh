#!/bin/sh
#
# Serve a block list of 500 addresses and run an update. Serve one of 100, which is 80 % fewer.
# Check that an update keeps the 500, says so in the words of the manual, and fails; and that
# "status" shows it.
# Check that "update -n" changes nothing, and that "update -f" accepts the 100.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 500 >"$dir/many"
addresses 100 >"$dir/few"
: >"$dir/allow"
serve "$dir/many" "$dir/allow"
config
start
update
expect_table $BLOCK "$dir/many"

serve "$dir/few" "$dir/allow"
no_update
expect_line '^Keeping the previous list basic.threatstop.local: 500 -> 100 entries, more than 50 % fewer (update -f to accept)$'
expect_table $BLOCK "$dir/many"
state '^list basic.*Keeping the previous list' || fail "status does not say so"

ctl update -f -n >"$dir/out"
[ "$(grep -c '^-198' "$dir/out")" -eq 400 ] || fail "update -n: $(tail -n 5 "$dir/out")"
expect_table $BLOCK "$dir/many"

update -f
expect_table $BLOCK "$dir/few"
stop_service
