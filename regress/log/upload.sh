#!/bin/sh
#
# Make a certificate, and have nc(1) take one upload with it and answer as the service does.
# Start threatstopd with a packet log of our own, ping a listed address, and upload.
# Check that the request holds the device id and the line of the packet as tcpdump prints it, and
# that "upload" says that it succeeded.
# Have nc answer with another device's id. Check that "upload" fails.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../net.sh"
need_programs
need_nsd
need_packets

make_certificate
printf '%s\n' $far $far6 >"$dir/block"
: >"$dir/allow"
serve "$dir/block" "$dir/allow"
config 'log.enabled = true' "log.url = \"https://127.0.0.1:$https/upload\"" \
    "https.ca_file = \"$dir/cert\""
start
update
connect
start_pflogd
! ping -n -c 1 -w 2 $far >"$dir/out" 2>&1 || fail "the ping is answered"
sleep 6

answer tdid_regress01
ctl upload >"$dir/out" 2>&1 || fail "upload: $(cat "$dir/out")"
expect_line '^Log file uploaded successfully for tdid_regress01$'
tcpdump -n -e -r "$dir/pflog" 2>/dev/null | grep "> $far: icmp: echo request" >"$dir/line"
[ -s "$dir/line" ] || fail "pflogd has not logged the ping"
grep -qF "$(head -n 1 "$dir/line")" "$dir/request" || fail "the packet is not in the request"
grep -q tdid_regress01 "$dir/request" || fail "the device id is not in the request"

! ping -n -c 1 -w 2 $far >"$dir/out" 2>&1 || fail "the ping is answered"
sleep 6
answer tdid_somebodyelse
! ctl upload >"$dir/out" 2>&1 || fail "an upload for another device succeeded"
expect_line 'the server answered for another device than this one'
stop_service
