#!/bin/sh
#
# Load a block table of 100,000 addresses and 20,000 states, of which one in ten is of these, and of those
# one in two has come in as IPv6 and was translated by af-to; STATES is another number, 100,000 at most.
# Run flush. Check that it ends those and no others, and say how long it takes; and that it says why it
# cannot where the securelevel is 2.

. "$(dirname "$0")/../lib.sh"
need_programs
need_pf
: "${STATES:=20000}"

config
addresses 100000 >"$dir/block"
$PFCTL -q -a "$anchor" -t $BLOCK -T replace -f "$dir/block" 2>"$dir/out" ||
	skip "no room for 100,000 entries: $(cat "$dir/out")"
# struct pfsync_state of <net/pfvar.h>: number, interface, two keys, peers, ..., creator, ..., af, proto,
# direction; a state of TCP that goes out from 192.0.2.1, each to an address of its own. What af-to has
# translated comes in: as on the wire it is of IPv6, its initiator first, and as the stack has it of
# IPv4, the other way round
perl -MSocket=inet_aton -e '
	my ($list, $to, $states) = @ARGV;
	open my $in, "<", $list or die $!;
	my @blocked = <$in>;
	open my $out, ">:raw", $to or die $!;
	for my $n (0 .. $states - 1) {
		my ($blocked, $turned) = ($n % 10 == 0, $n % 20 == 0);
		chomp(my $target = $blocked ? $blocked[$n] :
		    join ".", 203, 1 + ($n >> 16), $n >> 8 & 255, $n & 255);
		my $port = 1024 + $n % 60000;
		my $key = pack "a16a16nnnCC", inet_aton($target), inet_aton("192.0.2.1"), 443, $port, 0,
		    2, 0;
		my $wire = $key;
		$wire = pack "H32H24a4nnnCC", "20010db87e57" . "0" x 19 . "1", "0064ff9b" . "0" x 16,
		    inet_aton($target), $port, 443, 0, 24, 0 if $turned;
		my $state = "\0" x 264;
		substr $state, 0, 8, pack "NN", 0x7e57, $n + 1;
		substr $state, 8, 16, pack "a16", "all";
		substr $state, 24, 40, $wire;
		substr $state, 64, 40, $key;
		# of no rule, and it expires in an hour
		substr $state, 184, 12, "\xff" x 12;
		substr $state, 200, 4, pack "N", 3600;
		substr $state, 236, 4, pack "N", 0x7e57;
		substr $state, 250, 3, pack "CCC", $turned ? 24 : 2, 6, $turned ? 1 : 2;
		print $out $state;
	}
' "$dir/block" "$dir/states" "$STATES"
# what af-to has translated has its address of before behind it
ours() {
	$PFCTL -ss | grep -c ' 192\.0\.2\.1:[0-9]* [-(]'
}
cleanup() {
	$PFCTL -k 192.0.2.1
	$PFCTL -k 2001:db8:7e57::1
} >/dev/null 2>&1
$PFCTL -L "$dir/states" || skip "pfctl -L does not load $STATES states: raise limit states"
[ "$(ours)" -eq "$STATES" ] || skip "not all states were loaded: $(ours)"

if [ "$(sysctl -n kern.securelevel)" -ge 2 ]; then
	! "$THREATSTOPCTL" flush -f "$conf" >"$dir/out" 2>&1 || fail "flush at securelevel 2"
	expect_line 'pf lets nobody end states at securelevel 2'
	exit 0
fi
since=$(date +%s)
"$THREATSTOPCTL" flush -f "$conf" >"$dir/out" || fail "flush: $(cat "$dir/out")"
echo "a pass over $STATES states and 100,000 entries: $(($(date +%s) - since)) s"
ended=$((STATES / 10))
expect_line "^Ended $ended of "
[ "$(ours)" -eq $((STATES - ended)) ] || fail "$(ours) states are left of $((STATES - ended))"
