#!/bin/sh
#
# Serve a list with the far end. Set tables.monitor, start threatstopd with a packet log of our own, and run
# an update. Load the rules that setup prints, connect two interfaces, and ping the far end.
# Check that the ping is answered all the same, and that "show hits" has it: what a match rule has logged
# would have been blocked.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

printf '%s\n' $far $far6 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config 'tables.monitor = true' 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"'
start
update
ctl setup -f "$conf" >"$dir/setup" 2>"$dir/out" || fail "setup: $(cat "$dir/out")"
sed -n '/^# .*pf-.*\.conf$/,$p' "$dir/setup" >"$dir/anchor.conf"
connect
start_pflogd
ping_out >"$dir/out" 2>&1 || fail "a monitor blocks: $(cat "$dir/out")"
hits() {
	ctl show hits >"$dir/hits" && grep -q "$far" "$dir/hits" && grep -q "$far6" "$dir/hits"
}
wait_for 30 "no hits" hits
stop_service
