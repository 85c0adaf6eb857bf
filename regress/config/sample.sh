#!/bin/sh
#
# Check the shipped sample: as it is, it is refused for the device id that it lacks; with one, it
# is accepted and means the defaults.

. "$(dirname "$0")/../lib.sh"
need_programs

sample=$samples/threatstopd.toml
[ -e "$sample" ] || skip "no $sample"
cd "$dir" || exit 1
install -m 600 "$sample" sample.toml
! "$THREATSTOPD" -n -f sample.toml 2>out || fail "accepted without a device id"
expect_line '^sample.toml:[0-9]*: device_id: not set' out

sed 's/^device_id = ""/device_id = "tdid_abcd1234"/' "$sample" >sample.toml
"$THREATSTOPD" -nv -f sample.toml >out 2>&1
sed '$d' "$regress/config/print-defaults.ok" | diff -u - out
