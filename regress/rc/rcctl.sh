#!/bin/sh
#
# With the package installed, and its service neither enabled nor running: enable it, give it flags
# and start it. Check that it runs and that rcctl(8) finds it. Reload it. Check that there is a new
# engine under the same process.
# Break the configuration. Check that reload and restart fail and that it goes on running.
# Stop it. Check that it is gone and the table still there; disable it, and put rc.conf.local back.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
THREATSTOPD=/usr/local/sbin/threatstopd
THREATSTOPCTL=/usr/local/sbin/threatstopctl
[ -x /etc/rc.d/threatstopd ] || skip "the package is not installed"
! rcctl get threatstopd status || skip "threatstopd is enabled: this case does not touch it"
! rcctl check threatstopd || skip "threatstopd is running: this case does not touch it"
need_programs
need_nsd
need_pf

local_conf=/etc/rc.conf.local
[ ! -e $local_conf ] || cp -p $local_conf "$dir/rc.conf.local"
touched=
cleanup() {
	[ -n "$touched" ] || return 0
	rcctl stop threatstopd
	rcctl disable threatstopd
	if [ -e "$dir/rc.conf.local" ]; then
		cp -p "$dir/rc.conf.local" $local_conf
	else
		rm -f $local_conf
	fi
}

addresses 10 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config
touched=yes
rcctl enable threatstopd
rcctl set threatstopd flags "-f $conf -s $sock"
rcctl start threatstopd
rcctl check threatstopd
pid=$(pgrep -xf "$THREATSTOPD -f $conf -s $sock")
wait_for 30 "threatstopd does not answer" ready
update
expect_table $BLOCK "$dir/block"
child=$(pgrep -P "$pid" threatstopd-eng)

rcctl reload threatstopd
wait_for 10 "the engine is not replaced" gone "$child"
wait_for 10 "no new engine" ready
child=$(pgrep -P "$pid" threatstopd-eng)

echo 'no.such.key = 1' >>"$conf"
! rcctl reload threatstopd || fail "reload with a bad file"
! rcctl restart threatstopd || fail "restart with a bad file"
rcctl check threatstopd
[ "$(pgrep -P "$pid" threatstopd-eng)" = "$child" ] || fail "the engine was replaced"
config

rcctl stop threatstopd
! rcctl check threatstopd || fail "it did not stop"
gone "$pid" || fail "the monitor stays"
wait_for 2 "the engine stays" gone "$child"
holds $BLOCK "$dir/block" || fail "the table does not stay"
