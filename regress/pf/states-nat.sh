#!/bin/sh
#
# Start threatstopd with tables.kill_states and run an update. Connect two interfaces, have pf translate
# what a host behind this one sends, and connect from it to the far end and to another host.
# Block the far end. Check that the state of the translated connection ends, and that the other lives.
# Make states to eight more addresses, and block these one after the other, as fast as that goes.
# Check that all of their states end, in fewer passes than there were publications. Stop. Check that
# threatstopd-states has said nothing but what it has ended.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets
need_states

begin 10 "tables.kill_states = true"
connect
connect_behind
other=192.0.2.2
listener=
clients=
cleanup() {
	for client in $listener $clients; do
		quiet "$client"
	done
	disconnect
	stop_pflogd
}
route -T "$RDOMAIN" exec nc -l -k 0.0.0.0 7007 >/dev/null &
listener=$!
sleep 1
for to in $far $other; do
	nc -d -s "$behind" "$to" 7007 >/dev/null &
	clients="$clients $!"
	wait_for 10 "no state to $to" some_of "$to:7007"
done
$PFCTL -ss | grep -F "($behind:" | grep -q -F "$far:7007" || fail "no nat-to: $($PFCTL -ss)"
ctl block $far >"$dir/out" || fail "block: $(cat "$dir/out")"
wait_for 25 "the state of the translated connection lives" none_of "$far:7007"
some_of "$other:7007" || fail "the state of another connection has ended"

for n in 1 2 3 4 5 6 7 8; do
	ifconfig "$outer" inet 203.0.113.2$n/32 alias
	nc -d -s $behind 203.0.113.2$n 7007 >/dev/null &
	clients="$clients $!"
	wait_for 10 "no state to 203.0.113.2$n" some_of "203.0.113.2$n:7007"
done
# it is told when all of a pass have ended
passes() {
	grep -c 'threatstopd-states: ended' "$dir/log" || :
}
told() {
	[ "$(passes)" -gt "$before" ]
}
before=0
wait_for 5 "what has ended is not told" told
before=$(passes)
since=$(date +%s)
for n in 1 2 3 4 5 6 7 8; do
	ctl block 203.0.113.2$n >/dev/null || fail "block 203.0.113.2$n"
done
wait_for 60 "states to 203.0.113.2x live" none_of "203.0.113.2"
wait_for 5 "what has ended is not told" told
count=$(($(passes) - before))
most=$((($(date +%s) - since) / 10 + 2))
[ "$count" -le "$most" ] || fail "$count passes, and not 1 to $most"
some_of "$other:7007" || fail "the state of another connection has ended"
stop_service
only_endings
