#!/bin/sh
#
# Start threatstopd with tables.kill_states and run an update. Connect two interfaces, and hold TCP
# connections to the far end and to another host, over IPv4 and IPv6. Of the states of that to the far end
# over IPv4 have one only, without a number, by pfctl -S and -L.
# Check that flush -n finds nothing that would end.
# Block the far end. Check that its states end within seconds, and that all others live.
# Allow it, make states again, and run flush. Check that they live.
# Have many publications one after the other, and stop. Check that the stop takes no longer, and that
# threatstopd-states has said nothing but what it has ended.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets
need_states

begin 10 "tables.kill_states = true"
pgrep -P "$monitor" threatstopd-sta >/dev/null || fail "no process ends states"
connect
other=192.0.2.2
other6=2001:db8:f::2
held=
cleanup() {
	for connection in $held; do
		quiet "$connection"
	done
	disconnect
	stop_pflogd
}
# An end of a connection in the text of pfctl(8).
at() {
	case $1 in
	*:*)	echo "${1}[7007]" ;;
	*)	echo "$1:7007" ;;
	esac
}
established() {
	$PFCTL -ss | grep -F -e "$1" | grep -q ESTABLISHED:ESTABLISHED
}
for any in 0.0.0.0 ::; do
	route -T "$RDOMAIN" exec nc -l -k "$any" 7007 >/dev/null &
	held="$held $!"
done
sleep 1
for to in $far $far6 $other $other6; do
	nc -d "$to" 7007 >/dev/null &
	held="$held $!"
	wait_for 10 "no connection to $to" established "$(at "$to")"
done

# one without a number, as another version of pfsync(4) might leave it; pf has no number twice
$PFCTL -S "$dir/saved"
perl -MSocket=inet_aton -e '
	my ($from, $to, $far) = @ARGV;
	open my $in, "<:raw", $from or die $!;
	open my $out, ">:raw", $to or die $!;
	$far = inet_aton($far);
	while (read $in, my $state, 264) {
		next if ord substr($state, 251, 1) != 6 || index(substr($state, 24, 80), $far) < 0;
		substr $state, 0, 8, "\0" x 8;
		print $out $state;
		last;
	}
' "$dir/saved" "$dir/numberless" $far
# the packets pass pf at both interfaces, in a routing domain each
for domain in 0 "$RDOMAIN"; do
	$PFCTL -V "$domain" -k $near -k $far >/dev/null 2>&1
done
none_of "$(at $far)" || fail "pfctl -k leaves states"
$PFCTL -L "$dir/numberless" || fail "pfctl -L fails"
[ "$(states_of "$(at $far)")" -eq 1 ] || fail "pfctl -L has not loaded one state: $($PFCTL -ss)"
$PFCTL -ss -vv | grep -q ' id: 0000000000000000 ' || fail "it has a number: $($PFCTL -ss -vv)"

"$THREATSTOPCTL" -s "$sock" flush -n -f "$conf" >"$dir/out" || fail "flush -n: $(cat "$dir/out")"
expect_line '^0 of [0-9]* states would end$'
ctl block $far >"$dir/out" || fail "block: $(cat "$dir/out")"
ctl block $far6 >"$dir/out" || fail "block: $(cat "$dir/out")"
wait_for 25 "states of the far end live" none_of "$(at $far)"
wait_for 25 "states of the far end live over IPv6" none_of "$(at $far6)"
some_of "$(at $other)" || fail "a state of another host has ended"
some_of "$(at $other6)" || fail "a state of another host has ended over IPv6"
# it is told when all have ended
wait_for 5 "what has ended is not told" \
    grep -q 'threatstopd-states: ended [0-9]* of [0-9]* states' "$dir/log"

# what is allowed is in no block table
ctl allow $far >"$dir/out" || fail "allow: $(cat "$dir/out")"
ctl allow $far6 >"$dir/out" || fail "allow: $(cat "$dir/out")"
ping_out >"$dir/out" 2>&1 || fail "no ping out when allowed: $(cat "$dir/out")"
some_of $far || fail "no state when allowed"
"$THREATSTOPCTL" flush -f "$conf" >"$dir/out" || fail "flush: $(cat "$dir/out")"
expect_line '^Ended 0 of '
some_of $far || fail "a state of what is allowed has ended"

# many publications are few passes, and none holds up the stop
for n in 1 2 3 4 5 6 7 8; do
	ctl block 203.0.113.2$n/32 >/dev/null || fail "block 203.0.113.2$n"
done
stop_service
only_endings
