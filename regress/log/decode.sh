#!/bin/sh
#
# Give /var/log/pflog to tcpdump -n -e and to threatstopctl decode, with each style of time, plain
# and compressed, from a file and from standard input.
# Check that both print the same.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
log=/var/log/pflog
[ "$(tcpdump -n -r $log 2>/dev/null | wc -l)" -gt 0 ] || skip "nothing in $log"

cp $log "$dir/pflog"
gzip -c "$dir/pflog" >"$dir/pflog.gz"
for style in time: date:-ttt epoch:-tt; do
	# shellcheck disable=SC2086 # a flag or none
	tcpdump -n -e ${style#*:} -r "$dir/pflog" >"$dir/want" 2>/dev/null
	for file in "$dir/pflog" "$dir/pflog.gz"; do
		"$THREATSTOPCTL" decode -t "${style%:*}" "$file" | diff -u "$dir/want" -
		"$THREATSTOPCTL" decode -t "${style%:*}" - <"$file" | diff -u "$dir/want" -
	done
done
