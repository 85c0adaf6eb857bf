#!/bin/sh
#
# Serve a list with the far end's networks. Set tables.monitor, start threatstopd and run an update. Load
# the rules that setup prints, and connect two interfaces.
# Check that pings work both ways all the same, that status says how many packets would have been
# blocked, and that nothing is.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets
need_states

printf '%s\n' 203.0.113.0/24 2001:db8:bad::/48 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config 'tables.monitor = true'
start
update
ctl setup -f "$conf" >"$dir/setup" 2>"$dir/out" || fail "setup: $(cat "$dir/out")"
sed -n '/^# .*pf-.*\.conf$/,$p' "$dir/setup" >"$dir/anchor.conf"
grep -q "^match in log from <$BLOCK>" "$dir/anchor.conf" || fail "$(cat "$dir/setup")"
! grep -q '^block ' "$dir/anchor.conf" || fail "a monitor blocks: $(cat "$dir/setup")"
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
connect
ping_out >"$dir/out" 2>&1 || fail "no ping out: $(cat "$dir/out")"
ping_in >"$dir/out" 2>&1 || fail "no ping in: $(cat "$dir/out")"
ctl status >"$dir/out" || fail "status"
expect_line '^warning: monitoring: [1-9][0-9]* packets would have been blocked, nothing is$'
stop_service
