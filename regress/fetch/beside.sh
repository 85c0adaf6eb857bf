#!/bin/sh
#
# Serve a block list of 500 addresses, and name a file of ten in local_block. Start threatstopd and run
# an update. Serve a list of 100, which is 80 % fewer, and write 12 addresses into the file.
# Check that an update fails, keeps the list and takes the file; that "show lists" has the state of
# each; that "update -f local_block" does not accept the list, and "update -f policy" does.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

both() {
	holds $BLOCK "$1" "$2" || fail "not both: $(diff -u "$dir/want" "$dir/have" | head -n 40)"
}

addresses 500 >"$dir/many"
addresses 100 >"$dir/few"
: >"$dir/allow"
addresses 10 203.0 >"$dir/mine"
serve "$dir/many" "$dir/allow"
config "policy.local_block = \"$dir/mine\""
start
update
both "$dir/many" "$dir/mine"

serve "$dir/few" "$dir/allow"
addresses 12 203.0 >"$dir/mine"
no_update
expect_line '^Keeping the previous list basic.threatstop.local: 500 -> 100 entries, more than 50 % fewer (update -f to accept)$'
both "$dir/many" "$dir/mine"
ctl show lists >"$dir/out"
expect_line '^basic.threatstop.local .* held$'
expect_line '^local_block .* good$'

ctl update -f local_block >"$dir/out" || fail "update -f local_block: $(cat "$dir/out")"
both "$dir/many" "$dir/mine"
update -f policy
both "$dir/few" "$dir/mine"
stop_service
