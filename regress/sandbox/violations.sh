#!/bin/sh
#
# Let ktrace(1) record violations of pledge(2) of a program that violates it. Check that kdump(1)
# shows it, so that what follows means something.
# Start threatstopd under ktrace, all processes to come included, with servers given by name. Update,
# with an answer that is refused and one from a dead server too; put a packet log with a hit in place,
# and upload it over TLS to nc(1); reload, also with a bad file; show, why, test, rollback; kill the
# engine; SIGHUP and SIGUSR1. Look up a name that only a name server can know not to be there; stop.
# Check that kdump can read what was recorded, and that there is no violation in it.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_pf

violations() {
	kdump -f "$1" >"$dir/kdump" || fail "kdump cannot read $1"
	grep PLDG "$dir/kdump"
}

# A packet log of one record: 198.18.0.2, which is blocked, pings in vain.
pflog() {
	perl -e '
		my $packet = pack "CCnnnCCnCCCCCCCCCCnnn", 0x45, 0, 28, 1, 0, 64, 1, 0,
		    198, 18, 0, 2, 192, 0, 2, 1, 8, 0, 0xf7fd, 1, 1;
		my $record = pack("CCCC a16 x40 CCCC x36", 100, 2, 1, 0, "em0", 1, 0, 2, 0) . $packet;
		binmode STDOUT;
		print pack("VvvVVVV", 0xa1b2c3d4, 2, 4, 0, 0, 160, 117),
		    pack("VVVV", time, 0, (length $record) x 2), $record;
	'
}

# where its core goes
cd "$dir" || exit 1
# shellcheck disable=SC2016 # a program of perl's
ktrace -t p -f control \
    perl -MOpenBSD::Pledge -e 'pledge("rpath"); socket(my $s, 2, 1, 0)' >/dev/null 2>&1 || :
violations "$dir/control" >/dev/null || fail "ktrace records no violation"

under="ktrace -i -t p -f $dir/trace"
make_certificate
begin 10 'tables.check_interval = "1s"' "policy.servers = [\"localhost:$port\"]" \
    'log.enabled = true' "log.url = \"https://localhost:$https/upload\"" \
    "https.ca_file = \"$dir/cert\""
ctl status >"$dir/out"
ctl -j status >"$dir/out"
ctl show block >"$dir/out"
ctl show diff >"$dir/out"
ctl why 198.18.0.2 >"$dir/out"
ctl test >"$dir/out" || :
pflog >"$dir/pflog"
answer tdid_regress01
ctl upload >"$dir/out" 2>&1 || fail "upload: $(cat "$dir/out")"
expect_line '^Log file uploaded successfully for tdid_regress01$'
ctl show hits >"$dir/out"
expect_line '198\.18\.0\.2'
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
kill -HUP "$monitor"
wait_for 10 "no new engine" another_engine "$first"
config 'no.such.key = 1'
! ctl reload >"$dir/out" 2>&1 || fail "reload of a bad file succeeded"
kill -USR1 "$monitor"
update

# "localhost" is in the C library: nobody is asked for that
config "policy.servers = [\"nothing.invalid:$port\", \"localhost:$port\"]" \
    'log.enabled = true' 'log.url = "https://nothing.invalid:9/"' "https.ca_file = \"$dir/cert\""
first=$(engine)
ctl reload
wait_for 10 "no new engine" another_engine "$first"
update
expect_table $BLOCK "$dir/block"
stop_service

! violations "$dir/trace" || fail "pledge was violated"
