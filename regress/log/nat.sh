#!/bin/sh
#
# Start threatstopd with a packet log of our own and a list with the far end. Connect two interfaces, and
# have pf translate what a host behind this one sends, by nat-to on the way out; the host is an address of
# ours besides. Ping the far end from the host, and from the far end back to this one.
# Check that "show hits" names the host by its own address, as one that has sent, with the far end; and
# that doctor has nothing to say of that rule.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

printf '%s\n' $far >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"'
start
update
connect
connect_behind
start_pflogd
! ping_behind >"$dir/out" 2>&1 || fail "the ping is answered"
! ping -n -c 1 -w 2 -V "$RDOMAIN" -I $far $near >"$dir/out" 2>&1 || fail "the ping back is answered"
hits() {
	ctl show hits >"$dir/hits" && grep -q "^$behind  *[1-9]" "$dir/hits"
}
wait_for 30 "the host is not named: $(cat "$dir/hits" 2>/dev/null)" hits
expect_line "^$behind  *[1-9].*$far" "$dir/hits"
ctl status >"$dir/out" || fail "status"
ctl doctor -f "$conf" >"$dir/out" 2>&1 || :
expect_line '^[0-9]* of [0-9]* failed$'
! grep 'translates what your hosts send' "$dir/out" || fail "doctor takes nat-to on the way out for a fault"
stop_service
