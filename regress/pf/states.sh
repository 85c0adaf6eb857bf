#!/bin/sh
#
# Start threatstopd with tables.kill_states and run an update. Connect two interfaces, and make states: a
# TCP connection and pings to the far end, and pings to another host, over IPv4 and IPv6. Have those of
# the far end over IPv4 without a number, by pfctl -S and -L.
# Check that flush -n finds nothing that would end.
# Block the far end. Check that its states end within seconds, and that all others live.
# Allow it, make states again, and run flush. Check that they live.
# Have many publications one after the other, and stop. Check that the stop takes no longer.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

begin 10 "tables.kill_states = true"
pgrep -P "$monitor" threatstopd-sta >/dev/null || fail "no process ends states"
connect
other=192.0.2.2
other6=2001:db8:f::2
ping_out >"$dir/out" 2>&1 || fail "no ping out before: $(cat "$dir/out")"
ping -n -c 1 -w 2 $other >/dev/null || fail "no ping to the other host"
ping6 -n -c 1 -w 2 $other6 >/dev/null || fail "no ping to the other host over IPv6"
route -T "$RDOMAIN" exec nc -l -k $far 7007 >/dev/null &
listener=$!
sleep 1
(sleep 120) | nc $far 7007 >/dev/null &
client=$!
cleanup() {
	quiet "$listener"
	quiet "$client"
	disconnect
	stop_pflogd
}
wait_for 10 "no state of the connection" some_of "$far:7007"
some_of $other || fail "no state of the other host: $($PFCTL -ss)"

# one without a number, as another version of pfsync(4) might leave it
$PFCTL -S "$dir/saved"
perl -MSocket=inet_aton -e '
	my ($from, $to, $far) = @ARGV;
	open my $in, "<:raw", $from or die $!;
	open my $out, ">:raw", $to or die $!;
	$far = inet_aton($far);
	while (read $in, my $state, 264) {
		next if index(substr($state, 24, 80), $far) < 0;
		substr $state, 0, 8, "\0" x 8;
		print $out $state;
	}
' "$dir/saved" "$dir/numberless" $far
$PFCTL -k $near -k $far >/dev/null 2>&1
$PFCTL -k $far >/dev/null 2>&1
none_of $far || fail "pfctl -k leaves states"
$PFCTL -L "$dir/numberless" || fail "pfctl -L fails"
some_of $far || fail "pfctl -L has loaded none"

"$THREATSTOPCTL" -s "$sock" flush -n -f "$conf" >"$dir/out" || fail "flush -n: $(cat "$dir/out")"
expect_line '^0 of [0-9]* states would end$'
ctl block $far >"$dir/out" || fail "block: $(cat "$dir/out")"
ctl block $far6 >"$dir/out" || fail "block: $(cat "$dir/out")"
wait_for 25 "states of the far end live" none_of $far
wait_for 25 "states of the far end live over IPv6" none_of "$far6"
some_of $other || fail "a state of another host has ended"
some_of $other6 || fail "a state of another host has ended over IPv6"
expect_line 'threatstopd-states: ended [0-9]* of [0-9]* states' "$dir/log"

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
