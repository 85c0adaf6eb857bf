#!/bin/sh
#
# Set tables.monitor, start threatstopd with a packet log of our own, load the rules that setup prints, and
# connect two interfaces. Serve a list with the far end, and ping it.
# Check that the ping is answered all the same, and that "show hits" has it: what a match rule has logged
# would have been blocked.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

begin 10 'tables.monitor = true' 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"'
ctl setup -f "$conf" >"$dir/setup" 2>"$dir/out" || fail "setup: $(cat "$dir/out")"
sed -n '/^# .*pf-.*\.conf$/,$p' "$dir/setup" >"$dir/anchor.conf"
connect
start_pflogd
printf '%s\n' $far $far6 >>"$dir/block"
serve "$dir/block" "$dir/allow"
update
ping_out >"$dir/out" 2>&1 || fail "a monitor blocks: $(cat "$dir/out")"
hits() {
	ctl show hits >"$dir/hits" && grep -q "$far" "$dir/hits" && grep -q "$far6" "$dir/hits"
}
wait_for 30 "no hits" hits
stop_service
