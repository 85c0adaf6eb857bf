#!/bin/sh
#
# Make both table files, empty and with mode 0600, as threatstopctl setup does, and as root made
# tables of pf have them. Serve a block list of 500 addresses. Start threatstopd.
# Check that the update which follows by itself fills table and file, without being asked, and that
# nothing in the log calls the empty files a mistake.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 500 >"$dir/block"
: >"$dir/allow"
(umask 077 && : >"$dir/tables/$BLOCK.pftable" && : >"$dir/tables/$ALLOW.pftable")
serve "$dir/block" "$dir/allow"
config
start
wait_for 20 "no update after the start" holds $BLOCK "$dir/block"
expect_table $BLOCK "$dir/block"
! grep -q "$dir/tables" "$dir/log" || fail "the log complains of the table files"
stop_service
