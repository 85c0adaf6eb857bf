#!/bin/sh
#
# Set vm.malloc_conf to S, so that malloc(3) of each process that begins looks for misuse of memory;
# MALLOC_OPTIONS would not get to the children of the monitor, which have nothing of its environment.
# Start threatstopd and run an update. Ask for all that there is, change the list, update, reload, block
# an address, and update again. Check that the tables are right each time, and that no process was ended by
# a signal. Put vm.malloc_conf back.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_nsd
need_pf

before=$(sysctl -n vm.malloc_conf)
changed=
cleanup() {
	[ -z "$changed" ] || sysctl -q vm.malloc_conf="$before"
}

addresses 2000 >"$dir/block"
: >"$dir/allow"
# nsd is not what is looked at
serve "$dir/block" "$dir/allow"
changed=yes
sysctl -q vm.malloc_conf=S
config
start
update
expect_table $BLOCK "$dir/block"
for what in status 'show block' 'show diff' 'show lists' 'show own' metrics report 'why 198.18.0.2'; do
	# shellcheck disable=SC2086 # a command with its argument
	ctl $what >"$dir/out" || fail "$what: $(cat "$dir/out")"
done

addresses 3000 >"$dir/block"
serve "$dir/block" "$dir/allow"
update
expect_table $BLOCK "$dir/block"
first=$(engine)
ctl reload
wait_for 20 "no new engine" another_engine "$first"
echo 203.0.113.9 >"$dir/own"
ctl block 203.0.113.9 >"$dir/out" || fail "block: $(cat "$dir/out")"
update
holds $BLOCK "$dir/block" "$dir/own" || fail "not both: $(diff -u "$dir/want" "$dir/have" | head -n 40)"
stop_service
! grep 'terminated; signal' "$dir/log" || fail "a process has ended by a signal"
