#!/bin/sh
#
# Start threatstopd with a check_interval of a second and run an update. Behind its back flush the
# table; delete an address; add an address; kill the table.
# Check after each that the table is as before within ten seconds, and that it is logged.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
need_pf

begin 200 'tables.check_interval = "1s"'
# the first look after the update is the one to compare with
sleep 2

for command in flush 'delete 198.18.0.2' 'add 192.0.2.44' kill; do
	# shellcheck disable=SC2086 # a command with its argument
	$PFCTL -q -a "$anchor" -t $BLOCK -T $command
	wait_for 10 "the table is not put back after $command" holds $BLOCK "$dir/block"
	case $command in
	kill)	words='did not exist; made with' ;;
	*)	words='had been changed by somebody' ;;
	esac
	wait_for 5 "nothing is logged after $command" \
	    grep -q "pf table <$BLOCK> $words" "$dir/log"
	: >"$dir/log"
done
stop_service
