#!/bin/sh
#
# Give an interface of our own addresses with a /28, a /20 and, of IPv6, a /60. Start threatstopd and
# serve a list with one address inside of each and one outside, of which one of the /28 is in the same
# /24, one of the /20 in another /24, and one of the /60 in another /64 than the interface's own.
# Check that the table has those outside, and none of those inside: the networks of interfaces are
# known by their masks.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf
interface=lo$((RDOMAIN + 1))
! ifconfig "$interface" >/dev/null 2>&1 || skip "$interface is in use: set RDOMAIN"

made=
cleanup() {
	[ -z "$made" ] || ifconfig "$interface" destroy
}

made=yes
ifconfig "$interface" create
ifconfig "$interface" inet 198.51.100.1/28
ifconfig "$interface" inet 198.18.16.1/20 alias
ifconfig "$interface" inet6 2001:db8:f:10::1 prefixlen 60
printf '%s\n' 198.18.32.9 198.51.100.77 2001:db8:f:20::9 >"$dir/outside"
printf '%s\n' 198.18.17.9 198.51.100.9 2001:db8:f:1f::9 >"$dir/inside"
cat "$dir/outside" "$dir/inside" >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config
start
update
expect_table $BLOCK "$dir/outside"
while read -r address; do
	! ctl why "$address" >"$dir/out" || fail "$address is blocked"
	expect_line "not blocked: protected by"
done <"$dir/inside"
stop_service
