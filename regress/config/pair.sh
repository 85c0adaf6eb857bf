#!/bin/sh
#
# Give the file NAME.in to threatstopd -n, or to -nv where the name begins with "print-".
# Check that output and exit status are those in NAME.ok, and that nothing in it was executed.
# With UPDATE=yes NAME.ok is written instead.

. "$(dirname "$0")/../lib.sh"
need_programs

name=$1
from=$(cd "$(dirname "$0")" && pwd)
case $name in
print-*)
	flag=-nv
	;;
*)
	flag=-n
	;;
esac
cd "$dir" || exit 1
install -m 600 "$from/$name.in" "$name.toml"
status=0
"$THREATSTOPD" $flag -f "$name.toml" >out 2>&1 || status=$?
echo "exit $status" >>out
[ ! -e executed ] || fail "the configuration was executed"
if [ "${UPDATE:-no}" = yes ]; then
	cp out "$from/$name.ok"
else
	diff -u "$from/$name.ok" out
fi
