#!/bin/sh
#
# Load the rules of the sample with empty table files into the anchor. Serve a block list with IPv4,
# IPv6 and a hole, and an allow list. Start threatstopd and run an update.
# Check that pf has the expected prefixes in both tables, and that "status" sees rules that use
# them. Serve other lists and run an update. Check that pf has those.
# Load the anchor anew. Check that the tables are the same after it.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

printf '%s\n' 198.51.100.0/25 '!198.51.100.64/26' 203.0.113.7 2001:db8:1::/48 >"$dir/one"
printf '%s\n' 198.51.100.0/26 203.0.113.7 2001:db8:1::/48 >"$dir/want"
printf '%s\n' 198.51.100.3 203.0.113.0/24 2001:db8:2::7 >"$dir/two"
printf '%s\n' 192.0.2.99 2001:db8:3::/48 >"$dir/allow"
cp "$dir/want" "$dir/want.one"

serve "$dir/one" "$dir/allow"
config
start
update
expect_table $BLOCK "$dir/want.one"
expect_table $ALLOW "$dir/allow"
state "^$BLOCK .* 2 rules" || fail "rules not seen: $(ctl status)"

serve "$dir/two" "$dir/allow"
update
expect_table $BLOCK "$dir/two"
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
expect_table $BLOCK "$dir/two"
expect_table $ALLOW "$dir/allow"
stop_service
holds $BLOCK "$dir/two" || fail "the table does not stay"
