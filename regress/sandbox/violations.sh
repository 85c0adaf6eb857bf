#!/bin/sh
#
# Let ktrace(1) record violations of pledge(2) of a program that violates it. Check that kdump(1)
# shows it, so that what follows means something.
# Start threatstopd under ktrace, all processes to come included. Update, with an answer that is
# refused and one from a dead server too; reload, also with a bad file; show, why, test, rollback;
# kill the engine; SIGHUP and SIGUSR1; stop.
# Check that no violation was recorded.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_pf

violations() {
	kdump -f "$1" | grep PLDG
}

# where its core goes
cd "$dir" || exit 1
# shellcheck disable=SC2016 # a program of perl's
ktrace -t p -f control \
    perl -MOpenBSD::Pledge -e 'pledge("rpath"); socket(my $s, 2, 1, 0)' >/dev/null 2>&1 || :
violations "$dir/control" >/dev/null || fail "ktrace records no violation"

under="ktrace -i -t p -f $dir/trace"
begin 10 'tables.check_interval = "1s"'
ctl status >"$dir/out"
ctl -j status >"$dir/out"
ctl show block >"$dir/out"
ctl show diff >"$dir/out"
ctl why 198.18.0.2 >"$dir/out"
ctl test >"$dir/out" || :
ctl log verbose
$PFCTL -q -a "$anchor" -t $BLOCK -T flush
wait_for 10 "the table is not put back" holds $BLOCK "$dir/block"
serve "$dir/allow" "$dir/allow"
no_update
addresses 20 >"$dir/block"
serve "$dir/block" "$dir/allow"
update
ctl rollback >"$dir/out"
quiet "$nameserver"
nameserver=
no_update
serve "$dir/block" "$dir/allow"

first=$(engine)
ctl reload
wait_for 10 "no new engine" another_engine "$first"
first=$(engine)
kill -9 "$first"
wait_for 10 "no new engine" another_engine "$first"
first=$(engine)
kill -HUP "$helper"
wait_for 10 "no new engine" another_engine "$first"
config 'no.such.key = 1'
! ctl reload >"$dir/out" 2>&1 || fail "reload of a bad file succeeded"
kill -USR1 "$helper"
update
stop_helper

! violations "$dir/trace" || fail "pledge was violated"
