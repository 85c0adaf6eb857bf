#!/bin/sh
#
# Start threatstopd and run an update; the engine keeps a copy of each list in its own directory. Stop,
# and end the policy service, so that nothing else can tell it the list.
# Start. Check that "why" names the list: the file was read.
# Move the file, which anybody may read, out of the engine's directory and put a symbolic link in
# its place. Start. Check that "why" names the list no more: the engine could not open what lies
# outside. Let the link point to /etc/master.passwd. Start. Check that the engine cannot even see
# that it may not read it.
# Put the file back. Start. Check that "why" names the list.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_pf

# Whether the lists of 198.18.0.2 are known, which is blocked all the time.
named() {
	ctl why 198.18.0.2 >"$dir/out" || fail "why: $(cat "$dir/out")"
	grep -q 'basic.threatstop.local' "$dir/out"
}

begin 10
named || fail "why: $(cat "$dir/out")"
stop_service
quiet "$nameserver"
nameserver=

kept=$dir/spool/lists/basic.threatstop.local.list
outside=$dir/basic.list
start
named || fail "not kept: $(cat "$dir/out")"
stop_service

chmod 644 "$kept"
mv "$kept" "$outside"
ln -s "$outside" "$kept"
start
holds $BLOCK "$dir/block" || fail "the table does not stay"
! named || fail "the engine has read $outside"
stop_service

rm -f "$kept"
ln -s /etc/master.passwd "$kept"
: >"$dir/log"
start
! named || fail "where from?"
! grep 'Permission denied' "$dir/log" || fail "the engine sees /etc/master.passwd"
stop_service

rm -f "$kept"
mv "$outside" "$kept"
start
named || fail "not read when it is back: $(cat "$dir/out")"
stop_service
