#!/bin/sh
#
# Start threatstopd and run an update. Connect two interfaces and ping from one to the other. Block the
# far end by hand. Check that pings out say "Permission denied"; allow it, and check that they work
# again; take all back.
# Block an address and a network with an end, and allow an address within it. Check that pf has that
# when the command ends, and that the allow table has nothing of it; the same after a reload, after an
# update, after threatstopd was killed, and after pf.conf was loaded anew.
# Stop the name server, block one more and forget the rest. Check that pf has exactly the list and this
# one. Check that somebody else may say nothing, where everybody can reach the programs.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

begin 10
connect
ping_out >"$dir/out" 2>&1 || fail "no ping out before: $(cat "$dir/out")"
ctl block $far "regress" >"$dir/out" || fail "block: $(cat "$dir/out")"
! ping -n -c 1 -w 2 $far >"$dir/out" 2>&1 || fail "what was blocked by hand is answered"
expect_line 'sendmsg: Permission denied'
ctl why $far >"$dir/out" || fail "why: $(cat "$dir/out")"
expect_line 'listed by own (uid 0: regress)'
ctl allow $far >"$dir/out" || fail "allow: $(cat "$dir/out")"
ping_out >"$dir/out" 2>&1 || fail "allowed by hand, and no ping out: $(cat "$dir/out")"
ctl forget -a >"$dir/out" || fail "forget: $(cat "$dir/out")"
expect_table $BLOCK "$dir/block"
disconnected

ctl block -t 1h 198.51.100.7 >"$dir/out" || fail "block: $(cat "$dir/out")"
ctl block -t 1d 198.51.100.64/30 'a network' >"$dir/out" || fail "block: $(cat "$dir/out")"
ctl allow 198.51.100.66 >"$dir/out" || fail "allow: $(cat "$dir/out")"
{
	cat "$dir/block"
	printf '%s\n' 198.51.100.7 198.51.100.64/31 198.51.100.67
} >"$dir/own"
own_is_there() {
	holds $BLOCK "$dir/own"
}
own_is_there || fail "not in pf when the command ended: $(diff -u "$dir/want" "$dir/have")"
kernel $ALLOW >"$dir/shown" || fail "there is no allow table"
[ ! -s "$dir/shown" ] || fail "what is allowed by hand is in the allow table"

old=$(engine)
ctl reload || fail "reload"
wait_for 30 "no other engine after the reload" another_engine "$old"
wait_for 10 "not in pf after a reload" own_is_there
update
own_is_there || fail "not in pf after an update"
kill_monitor
start
wait_for 10 "not in pf after a crash" own_is_there
$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
own_is_there || fail "not in pf after the rules were loaded"
[ "$(ctl show own | wc -l)" -eq 4 ] || fail "show own: $(ctl show own)"

quiet "$nameserver"
nameserver=
ctl block 198.51.100.9 >"$dir/out" || fail "block without a server: $(cat "$dir/out")"
for prefix in 198.51.100.7 198.51.100.64/30 198.51.100.66; do
	ctl forget $prefix >"$dir/out" || fail "forget $prefix: $(cat "$dir/out")"
done
{
	cat "$dir/block"
	echo 198.51.100.9
} >"$dir/own"
own_is_there || fail "without a server: $(diff -u "$dir/want" "$dir/have")"
if reachable; then
	! as_user -s "$sock" block 198.51.100.11 || fail "somebody else blocks"
	expect_line '^threatstopctl: .*Permission denied'
else
	echo "left out: $user cannot reach $THREATSTOPCTL"
fi
stop_service
