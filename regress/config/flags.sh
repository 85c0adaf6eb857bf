#!/bin/sh
#
# Check -V, and that an unknown flag, a long one, a missing argument and an operand give the usage
# line and exit status 1.
# Check that -n touches neither tables nor net: it accepts a configuration whose directories do
# not exist and whose server is a name without an address.
# Check that a start with that configuration says what is missing, and exits 1.

. "$(dirname "$0")/../lib.sh"
need_programs

cd "$dir" || exit 1
"$THREATSTOPD" -V >out
expect_line '^threatstopd [0-9]*\.[0-9]*\.[0-9]*$' out
"$THREATSTOPCTL" -V >out
expect_line '^threatstopctl [0-9]*\.[0-9]*\.[0-9]*$' out

for arguments in -x --help -f -s operand '-n operand'; do
	# shellcheck disable=SC2086 # flags and operands
	"$THREATSTOPD" $arguments >out 2>&1 && fail "accepted: $arguments" || status=$?
	[ "$status" -eq 1 ] || fail "$arguments: exit status $status"
	[ "$(cat out)" = 'usage: threatstopd [-dnVv] [-f file] [-s socket]' ] ||
		fail "$arguments: $(cat out)"
done

config 'tables.directory = "/nonexistent/tables"' 'log.spool = "/nonexistent/spool"' \
    'policy.servers = ["nonexistent.invalid"]'
"$THREATSTOPD" -n -f "$conf" 2>out
expect_line '^configuration OK$' out
"$THREATSTOPD" -dn -f "$conf" 2>out

"$THREATSTOPD" -d -f "$conf" -s "$sock" 2>out && fail "started" || status=$?
[ "$status" -eq 1 ] || fail "exit status $status"
expect_line '/nonexistent/tables: ' out
