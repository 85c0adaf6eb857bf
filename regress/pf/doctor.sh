#!/bin/sh
#
# Start threatstopd and run an update. Check that doctor finds everything in order: the rules of the
# anchor, both tables, their files.
# Put rules of many kinds behind those of the sample. Check that doctor understands what pfctl prints,
# and finds everything in order.
# Then break one thing after the other: the log of a rule, the rules, their order, what they ask for,
# a table, the mode of a file, the file itself. Check that doctor fails each time and says what it is;
# mend it.
# Stop threatstopd. Check that doctor says so, and what helps without it. Check that somebody else than root is refused, where
# everybody can reach the programs.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf
need_anchor

doctor() {
	ctl doctor -f "$conf" >"$dir/out" 2>&1
}

# Doctor fails, and for this.
ill() {
	! doctor || fail "doctor finds nothing: $(cat "$dir/out")"
	expect_line "^FAIL .*$1"
}

begin 10
doctor || fail "doctor: $(cat "$dir/out")"
for line in 'pf is enabled' 'table-entries limit [0-9]* is enough for 2 x 10' \
    'rules refer to the tables, and log' "pf table <$ALLOW> is equal to its file (0)" \
    "pf table <$BLOCK> is equal to its file (10)" 'threatstopd [0-9.]* answers'; do
	expect_line "^ok   $line"
done
ctl -j doctor -f "$conf" >"$dir/out" || fail "doctor -j: $(cat "$dir/out")"
expect_line '"failed":0'

cat "$dir/anchor.conf" - <<-! | $PFCTL -q -a "$anchor" -f -
	match in on ! lo0 inet proto tcp all scrub (no-df random-id)
	match out on lo0 inet from 10.0.0.0/8 to any nat-to 192.0.2.1 tag REGRESS
	pass in quick on lo0 inet proto tcp from any port 1 >< 9 to any port { 80, 8000:8080 } \
	    flags any keep state (max 100, source-track rule, if-bound) label "a quick (label)"
	pass in quick on lo0 inet6 proto icmp6 all icmp6-type echoreq
	pass out quick on lo0 inet proto icmp all icmp-type unreach code needfrag no state
	pass out quick on lo0 proto udp all user root ! tagged REGRESS probability 50% allow-opts
	block return-rst in on lo0 proto tcp from (lo0:network) to ! 127.0.0.1
	anchor "deeper/*" in on lo0 proto tcp
!
doctor || fail "doctor, with rules of many kinds: $(cat "$dir/out")"
! grep 'not understood' "$dir/out" || fail 'doctor does not understand what pfctl prints'
expect_line '^ok   rules refer to the tables, and log$'

# Rules of somebody else, before ours and behind.
(grep '^table' "$dir/anchor.conf"; echo 'pass out quick all'; grep -v '^table' "$dir/anchor.conf") |
    $PFCTL -q -a "$anchor" -f -
ill '"pass out quick all flags S/SA" in anchor .* stands before .*: nothing out is blocked'
# with quick, for rules behind the anchor of whoever runs this may decide after it
(sed 's/^block in log quick/block in log/' "$dir/anchor.conf"; echo 'pass in quick all') |
    $PFCTL -q -a "$anchor" -f -
ill '"pass in quick all flags S/SA" in anchor .* decides after .*: nothing in is blocked'

# Ours for less than the table.
sed 's/^block in log quick/& inet/' "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
ill 'is narrower than its table (inet): '
sed 's/^block out log quick/& proto tcp/' "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
ill 'is narrower than its table (proto tcp): '

sed '/^block/s/ log / /' "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
ill "2 of 2 rules for <$BLOCK> do not log"
grep '^table' "$dir/anchor.conf" | $PFCTL -q -a "$anchor" -f -
ill "pf table <$BLOCK> is not used by any rule"
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"

$PFCTL -q -a "$anchor" -t $BLOCK -T add 192.0.2.44
ill "pf table <$BLOCK> lacks 0 prefixes of its file, and has 1 that are not in it"
update
$PFCTL -q -a "$anchor" -t $BLOCK -T kill
ill "pf has no table <$BLOCK>"
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"

file=$dir/tables/$BLOCK.pftable
chmod 644 "$file"
ill "chmod 600 $file"
chmod 600 "$file"
mv "$file" "$file.away"
ill "$file: missing.*: threatstopctl -s $sock update$"
expect_line '^1 of [0-9]* failed$'
mv "$file.away" "$file"
doctor || fail "doctor, when all is mended: $(cat "$dir/out")"

stop_service
ill "threatstopd does not answer.*: threatstopd -s $sock -f $conf$"
mv "$file" "$file.away"
ill "$file: missing.*: threatstopctl setup -f $conf$"
mv "$file.away" "$file"
if reachable; then
	! as_user doctor -f "$conf" || fail "somebody else may ask"
	expect_line '^threatstopctl: doctor: need root privileges$'
else
	echo "left out: $user cannot reach $THREATSTOPCTL"
fi
