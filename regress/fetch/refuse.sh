#!/bin/sh
#
# Serve a block list and run an update. Then serve lists that must not be taken over: an empty one,
# one that covers more than a fifth of IPv4, one with more entries than max_entries.
# Check for each that the update fails and says why, that table and file stay, and that "update -f"
# does not help.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

: >"$dir/empty"
awk 'BEGIN { for (i = 11; i < 127; i++) print i ".0.0.0/8"; for (i = 128; i < 160; i++) print i ".0.0.0/8" }' >"$dir/wide"
addresses 300 >"$dir/long"
begin 50 'guard.max_entries = 200'

for list in empty wide long; do
	serve "$dir/$list" "$dir/allow"
	for option in '' -f; do
		# shellcheck disable=SC2086 # no argument rather than an empty one
		no_update $option
		case $list in
		empty)
			if [ -z "$option" ]; then
				expect_line 'Keeping the previous list .*: 50 -> 0 entries'
			else
				expect_line 'Keeping the previous block list: nothing would be blocked'
			fi
			;;
		wide)
			expect_line 'Keeping the previous list .*: .*max_coverage'
			;;
		long)
			expect_line 'Keeping the previous list .*: .*max_entries'
			;;
		esac
		expect_table $BLOCK "$dir/block"
	done
done
stop_service
