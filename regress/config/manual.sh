#!/bin/sh
#
# Take the lines for pf.conf out of threatstopd(8): what is shown there and begins as a rule, a table or
# an option. Check that there are three such examples at least, and on OpenBSD that pfctl -n takes each
# of them as it is written, but for the directory and the user, who need not be there.

. "$(dirname "$0")/../lib.sh"
need_programs

manual=$regress/../src/threatstopd/threatstopd.8
[ -e "$manual" ] || manual=/usr/local/man/man8/threatstopd.8
[ -e "$manual" ] || skip "no $manual"

for name in $ALLOW $BLOCK; do
	: >"$dir/tables/$name.pftable"
done
sed -e 's/\\e$/\\/' -e "s,/var/db/threatstop,$dir/tables," -e 's/user _threatstop/user root/' "$manual" |
    awk -v to="$dir/example" '
	/^\.Bd -literal/ { inside = 1; text = ""; next }
	/^\.Ed/ && text ~ /^(block|match|pass|set|table) / {
		file = to (number += 1)
		printf "%s", text >file
		close(file)
	}
	/^\.Ed/ { inside = 0; text = "" }
	inside { text = text $0 "\n" }
    '
count=0
for example in "$dir"/example*; do
	count=$((count + 1))
	[ "$system" != OpenBSD ] || $PFCTL -nf "$example" || fail "pfctl takes no: $(cat "$example")"
done
[ "$count" -ge 3 ] || fail "only $count examples are found"
