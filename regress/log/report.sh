#!/bin/sh
#
# Start threatstopd, run an update, and ask for a report.
# Check that it ends well, that its first line is the verdict, and that no line is wider than a mail, with the
# names that there are here; and that days which there cannot be are refused.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 10
ctl report >"$dir/out" || fail "report: $(cat "$dir/out")"
sed 1q "$dir/out" >"$dir/first"
grep -qE '^(ok|warning): ' "$dir/first" || fail "no verdict: $(cat "$dir/first")"
ctl report -d 1 >"$dir/out" || fail "report -d 1: $(cat "$dir/out")"
! awk 'length($0) > 80' "$dir/out" | grep . || fail "a line is wider than 80 columns"
! ctl report -d 0 >"$dir/out" 2>&1 || fail "a report of no day"
expect_line 'not a number of days from 1 to 35'
stop_service
