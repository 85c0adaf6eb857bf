#!/bin/sh
#
# Start threatstopd with a packet log of our own, with two listed addresses. Ping the first.
# Check that "show hits" has it. Have newsyslog(8) rotate and compress the log, twice. Ping the
# second. Check that "show hits" has both.
# Stop. Ping the first twice more and rotate. Start. Check that "show hits" has it twice more, and that
# nothing was missed.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

printf '%s\n' $far $far6 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"'
start
update
connect
start_pflogd
has() {
	ctl show hits | grep -q "$1"
}
# How often the first was hit.
count() {
	ctl show hits | awk -v far=$far '$1 == far { print $2 + $3 }'
}
rotate() {
	echo "$dir/pflog 600 10 * 0 ZB \"kill -HUP $pflogd\"" >"$dir/newsyslog.conf"
	newsyslog -F -f "$dir/newsyslog.conf"
}

! ping -n -c 1 -w 2 $far >"$dir/out" 2>&1 || fail "the ping is answered"
wait_for 30 "no hit" has $far
rotate
rotate
! ping6 -n -c 1 -w 2 $far6 >"$dir/out" 2>&1 || fail "the ping6 is answered"
wait_for 30 "no hit after the rotation" has $far6
has $far || fail "the hit before the rotation is gone"
before=$(count)
stop_service

! ping -n -c 2 -w 2 $far >"$dir/out" 2>&1 || fail "the ping is answered"
sleep 6
rotate
disconnected
start
twice_more() {
	[ "$(count)" -eq $((before + 2)) ]
}
wait_for 30 "hits while it did not run are not counted" twice_more
ctl metrics >"$dir/out"
expect_line '^threatstop_log_gaps 0$'
stop_service
