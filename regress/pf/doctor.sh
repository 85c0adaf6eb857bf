#!/bin/sh
#
# Start threatstopd and run an update. Check that doctor finds everything in order: the rules of the
# anchor, both tables, their files.
# Then break one thing after the other: the log of a rule, the rules, a table, the mode of a file, the
# file itself. Check that doctor fails each time and says what it is; mend it.
# Stop threatstopd. Check that doctor says so. Check that somebody else than root is refused, where
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
ill "$file: missing"
mv "$file.away" "$file"
doctor || fail "doctor, when all is mended: $(cat "$dir/out")"

stop_helper
ill 'threatstopd does not answer'
if reachable; then
	! as_user doctor -f "$conf" || fail "somebody else may ask"
	expect_line '^threatstopctl: doctor: need root privileges$'
else
	echo "left out: $user cannot reach $THREATSTOPCTL"
fi
