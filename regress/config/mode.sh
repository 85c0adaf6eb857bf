#!/bin/sh
#
# Give a good configuration to threatstopd -n with each mode that lets group or others in, as a
# directory, a FIFO, a missing file, and as a symbolic link to a good file.
# Check that all but the link are refused in one line, that the line for a mode shows the chmod,
# and that the link is accepted.
# As root also give it to somebody else. Check that the line shows the chown.

. "$(dirname "$0")/../lib.sh"
need_programs

refused() {
	! "$THREATSTOPD" -n -f "$1" 2>out || fail "accepted: $2"
	[ "$(wc -l <out)" -eq 1 ] || fail "more than a line: $(cat out)"
	expect_line "$3" out
}

cd "$dir" || exit 1
echo 'device_id = "tdid_abcd1234"' >file
for mode in 644 640 660 604 610 602 601 620; do
	chmod $mode file
	refused file "mode $mode" "^file: mode 0$mode: .*chmod 600 file\$"
done
for mode in 600 400; do
	chmod $mode file
	"$THREATSTOPD" -n -f file 2>out || fail "refused: mode $mode"
	expect_line '^configuration OK$' out
done

mkdir directory
refused directory directory '^directory: not a regular file$'
mkfifo -m 600 fifo
refused fifo FIFO '^fifo: not a regular file$'
refused missing 'missing file' '^missing: No such file or directory'
ln -s file link
"$THREATSTOPD" -n -f link 2>out

if [ "$uid" -eq 0 ]; then
	chown "$user" file
	refused file 'file of somebody else' "^file: owned by uid $(id -u "$user"), .*chown root file && chmod 600 file\$"
fi
