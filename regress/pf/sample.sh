#!/bin/sh
#
# Give the shipped lines for pf.conf, and those for a bridge, to pfctl -n, with empty table files.
# Check that both parse. Take the table files away. Check that neither does.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_programs
[ -d "$samples" ] || skip "no $samples"

for sample in pf.conf.threatstop pf.conf.threatstop-bridge; do
	sed "s,/var/db/threatstop,$dir/tables," "$samples/$sample" >"$dir/pf.conf"
	: >"$dir/tables/$BLOCK.pftable"
	: >"$dir/tables/$ALLOW.pftable"
	$PFCTL -nf "$dir/pf.conf"
	rm "$dir/tables/$BLOCK.pftable"
	! $PFCTL -nf "$dir/pf.conf" 2>"$dir/out" || fail "$sample loads without its files"
	expect_line 'cannot load' "$dir/out"
done
