#!/bin/sh
#
# Start threatstopd with a packet log of our own. Connect two interfaces, have pflogd(8) log what
# the rules log. Ping an address that is on no list, list it, and ping it again.
# Check that "show hits" has the address after the second ping, and nothing of the first.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

begin 10 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"'
connect
start_pflogd
ping_out >"$dir/out" 2>&1 || fail "no ping before: $(cat "$dir/out")"
sleep 6
ctl show hits >"$dir/out" || fail "show hits: $(cat "$dir/out")"
! grep -e $far -e $far6 "$dir/out" || fail "hits before the addresses are listed"

printf '%s\n' $far $far6 >>"$dir/block"
serve "$dir/block" "$dir/allow"
update_apart
! ping_out >"$dir/out" 2>&1 || fail "the ping is answered"
! ping6 -n -c 1 -w 2 $far6 >"$dir/out" 2>&1 || fail "the ping6 is answered"
hits() {
	ctl show hits >"$dir/hits" && grep -q "$far" "$dir/hits" && grep -q "$far6" "$dir/hits"
}
wait_for 30 "no hits" hits
stop_service
