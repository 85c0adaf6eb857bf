#!/bin/sh
#
# Name a file in local_block, and a table of its own for what goes out to it. Start threatstopd, load the
# rules that setup prints, connect two interfaces and run an update with the far end in the file.
# Check that the block table has the list alone and the other one the file alone, that pings out say
# "Permission denied", and that pings in are answered.
# Turn the direction, reload, and load what setup prints then. Check that it is the other way round.
# Flush the table with pfctl and run an update. Check that it is put back, and told of.
# Take the table out of the configuration and reload. Check that pf's table and its file stay as they are.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

table=Regress-Mine
mine="policy.local_block = \"$dir/mine\""

# The table for what goes one way.
way() {
	echo "table = [{ name = \"$table\", lists = [\"local_block\"], direction = \"$1\" }]"
}

# The rules of setup, which come behind the name of the anchor's file.
rules() {
	ctl setup -f "$conf" >"$dir/setup" 2>"$dir/out" || fail "setup: $(cat "$dir/out")"
	sed -n '/^# .*pf-.*\.conf$/,$p' "$dir/setup" >"$dir/anchor.conf"
	grep -q "<$table>" "$dir/anchor.conf" || fail "setup has no rule: $(cat "$dir/setup")"
	$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
}

reload() {
	old=$(engine)
	ctl reload || fail "reload"
	wait_for 30 "no other engine after the reload" another_engine "$old"
	wait_for 10 "no answer after the reload" ready
}

addresses 3 203.1 >"$dir/mine"
begin 10 "$mine" "$(way out)"
rules
connect
ping_out >"$dir/out" 2>&1 || fail "no ping out before: $(cat "$dir/out")"
ping_in >"$dir/out" 2>&1 || fail "no ping in before: $(cat "$dir/out")"

printf '%s\n' $far $far6 >"$dir/mine"
update_apart
holds $BLOCK "$dir/block" || fail "the block table: $(diff -u "$dir/want" "$dir/have")"
holds $table "$dir/mine" || fail "the table: $(diff -u "$dir/want" "$dir/have")"
! ping -n -c 1 -w 2 $far >"$dir/out" 2>&1 || fail "ping out is answered"
expect_line 'sendmsg: Permission denied'
ping_in >"$dir/out" 2>&1 || fail "no ping in: $(cat "$dir/out")"

disconnected
config "$mine" "$(way in)"
reload
rules
update_apart
ping_out >"$dir/out" 2>&1 || fail "no ping out: $(cat "$dir/out")"
! ping -n -c 1 -w 2 -V "$RDOMAIN" -I $far $near >"$dir/out" 2>&1 || fail "ping in is answered"

$PFCTL -q -a "$anchor" -t $table -T flush
disconnected
update
grep -q "^Warning: pf table <$table> had been changed by somebody" "$dir/out" ||
	fail "not told: $(cat "$dir/out")"
holds $table "$dir/mine" || fail "not put back: $(diff -u "$dir/want" "$dir/have")"

config
reload
holds $table "$dir/mine" || fail "not left as it is: $(diff -u "$dir/want" "$dir/have")"
[ -s "$dir/tables/$table.pftable" ] || fail "its file is gone"
$PFCTL -q -a "$anchor" -F rules
stop_service
