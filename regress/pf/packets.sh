#!/bin/sh
#
# Start threatstopd and run an update. Connect two interfaces and ping from one to the other, both
# ways, over IPv4 and IPv6. Check that this works.
# Serve a list with the far end's networks and run an update.
# Check that pings out say "Permission denied", that pings in are not answered, and that the
# counters of the block table in "status" have grown.
# Serve the list with the far end on the allow list as well. Check that pings work again.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

begin 10
connect
ping_out >"$dir/out" 2>&1 || fail "no ping out before: $(cat "$dir/out")"
ping_in >"$dir/out" 2>&1 || fail "no ping in before: $(cat "$dir/out")"

printf '%s\n' 203.0.113.0/24 2001:db8:bad::/48 >>"$dir/block"
serve "$dir/block" "$dir/allow"
update_apart
for command in "ping $far" "ping6 $far6"; do
	# shellcheck disable=SC2086 # a command with its argument
	! ${command% *} -n -c 1 -w 2 ${command#* } >"$dir/out" 2>&1 || fail "$command is answered"
	expect_line 'sendmsg: Permission denied'
done
! ping -n -c 1 -w 2 -V "$RDOMAIN" -I $far $near >"$dir/out" 2>&1 || fail "ping in is answered"
! ping6 -n -c 1 -w 2 -V "$RDOMAIN" -I $far6 $near6 >"$dir/out" 2>&1 ||
	fail "ping6 in is answered"
ctl why $far >"$dir/out" || fail "why: $(cat "$dir/out")"
state "^$BLOCK .* [1-9][0-9]*/[1-9][0-9]* " || fail "$(ctl status)"

printf '%s\n' $far $far6 >"$dir/allow"
serve "$dir/block" "$dir/allow"
update_apart
ping_out >"$dir/out" 2>&1 || fail "allowed, and no ping out: $(cat "$dir/out")"
ping_in >"$dir/out" 2>&1 || fail "allowed, and no ping in: $(cat "$dir/out")"
stop_service
