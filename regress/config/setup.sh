#!/bin/sh
#
# Run "threatstopctl setup" for a configuration with an empty table directory.
# Check that it makes both table files, empty and with mode 0600, that the lines which it prints
# name them, and on OpenBSD that pfctl -n takes the lines, for a bridge and for an anchor too.
# Write into a file and run it again. Check that the file is left alone.

. "$(dirname "$0")/../lib.sh"
need_programs

config
for option in '' -b; do
	# shellcheck disable=SC2086 # an option or none
	"$THREATSTOPCTL" setup $option -f "$conf" >"$dir/lines" 2>"$dir/out"
	for name in $ALLOW $BLOCK; do
		file=$dir/tables/$name.pftable
		[ -n "$(find "$file" -type f -perm 0600 -size 0)" ] || fail "$file: not as it should be"
		expect_line "^table <$name> persist file \"$file\"\$" "$dir/lines"
	done
	expect_line '^set limit table-entries [0-9]*$' "$dir/lines"
	[ "$system" != OpenBSD ] || $PFCTL -nf "$dir/lines"
done

config 'tables.anchor = "site/threatstop"'
"$THREATSTOPCTL" setup -f "$conf" >"$dir/both" 2>"$dir/out"
sed '1,/^# .*-site-threatstop.conf$/d' "$dir/both" >"$dir/lines"
expect_line '^load anchor "site/threatstop" from ' "$dir/both"
expect_line '^block in log quick ' "$dir/lines"
[ "$system" != OpenBSD ] || $PFCTL -nf "$dir/lines"

config
echo 198.51.100.7 >"$file"
"$THREATSTOPCTL" setup -f "$conf" >"$dir/again" 2>"$dir/out"
[ "$(cat "$file")" = 198.51.100.7 ] || fail "setup wrote to $file"
