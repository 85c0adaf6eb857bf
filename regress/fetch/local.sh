#!/bin/sh
#
# Serve a block list, and name a file of ten addresses in local_block. Start threatstopd and run an
# update. Check that both are in the table.
# Put another file in its place by rename. Check that the daemon sees it by itself, which takes that
# the helper opens it by its name.
# Put one with a mistake in its place, likewise. Check that status names file and line, that the table
# stays, and that an update publishes what the service has meanwhile, and fails.
# Put the first file back. Check that the warning is gone.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 50 >"$dir/block"
addresses 51 >"$dir/more"
: >"$dir/allow"
addresses 10 203.0 >"$dir/mine"
addresses 12 203.0 >"$dir/other"
cp "$dir/mine" "$dir/first"
serve "$dir/block" "$dir/allow"
config "policy.local_block = \"$dir/mine\"" 'tables.check_interval = "1s"'
start
update
holds $BLOCK "$dir/block" "$dir/first" || fail "not both: $(kernel $BLOCK | tail -n 20)"

cp "$dir/other" "$dir/mine.new"
mv "$dir/mine.new" "$dir/mine"
wait_for 20 "the file that was replaced is not seen" holds $BLOCK "$dir/block" "$dir/other"

{ cat "$dir/first"; echo 203.0.113.0/33; } >"$dir/mine.new"
mv "$dir/mine.new" "$dir/mine"
wait_for 20 "status has no warning of line 11" state "^warning: local_block: $dir/mine:11: "
holds $BLOCK "$dir/block" "$dir/other" || fail "the table does not stay"
serve "$dir/more" "$dir/allow"
no_update
expect_line "^Failed: local_block: $dir/mine:11: .*; its copy of .* ago stays\$"
holds $BLOCK "$dir/more" "$dir/other" || fail "the list of the service does not go on"

mv "$dir/first" "$dir/mine"
cp "$dir/mine" "$dir/first"
wait_for 20 "the file that was mended is not seen" holds $BLOCK "$dir/more" "$dir/first"
ctl status >"$dir/out"
! grep '^warning: local_block' "$dir/out" || fail "status warns still: $(cat "$dir/out")"
update
expect_line '^No changes$'
stop_service
