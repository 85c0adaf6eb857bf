#!/bin/sh
#
# Serve a block list with IPv4 and IPv6, a hole, neighbours that are one network together, and two
# addresses that must never be blocked; and an allow list that overlaps with it.
# Start threatstopd with empty tables and run an update.
# Check that the summary has every line, and that kernel, table file and "show" have the expected
# prefixes.
# Check that "why" names the list, the hole, the allow list and the protected network.
# Update again. Check that nothing changes and that the table file is the same one.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

cat >"$dir/block" <<'E1'
203.0.113.0/24
!203.0.113.128/25
198.51.100.4
198.51.100.5
198.51.100.77
127.0.0.53
192.168.7.0/24
2001:db8:1::/48
2001:db8:2::1
E1
cat >"$dir/allow" <<'E1'
198.51.100.77
2001:db8:1::/64
E1
cat >"$dir/want.block" <<'E1'
198.51.100.4/31
203.0.113.0/25
2001:db8:1:1::/64
2001:db8:1:2::/63
2001:db8:1:4::/62
2001:db8:1:8::/61
2001:db8:1:10::/60
2001:db8:1:20::/59
2001:db8:1:40::/58
2001:db8:1:80::/57
2001:db8:1:100::/56
2001:db8:1:200::/55
2001:db8:1:400::/54
2001:db8:1:800::/53
2001:db8:1:1000::/52
2001:db8:1:2000::/51
2001:db8:1:4000::/50
2001:db8:1:8000::/49
2001:db8:2::1
E1

serve "$dir/block" "$dir/allow"
config
start
update
# the first update at start may have been the one that published
[ "$(grep -c -e '^Adding' -e '^No changes' "$dir/out")" -ge 1 ] || fail "no summary: $(cat "$dir/out")"
expect_line "^Starting ThreatSTOP update on "
expect_line "^Using DNS Server 127.0.0.1:$port\$"
expect_line '^Processing allow list dns.threatstop.local$'
expect_line '^Processing block list basic.threatstop.local$'
expect_line '^Completed getting all the lists$'
expect_line '^Finished ThreatSTOP update at '
expect_line '^Run Length: '
expect_table $BLOCK "$dir/want.block"
expect_table $ALLOW "$dir/allow"

ctl why 203.0.113.9 >"$dir/out" || fail "203.0.113.9 is not blocked"
expect_line '203.0.113.0/25.*basic.threatstop.local'
for address in 203.0.113.200 198.51.100.77 192.168.7.1 192.0.2.1; do
	! ctl why $address >>"$dir/out" || fail "$address is blocked"
	expect_line "^$address is not blocked"
done
expect_line '198.51.100.77.*dns.threatstop.local'
expect_line '192.168.7.1.*RFC 1918'

file=$dir/tables/$BLOCK.pftable
before=$(ls -i "$file")
update
expect_line '^No changes$'
[ "$(ls -i "$file")" = "$before" ] || fail "the table file was written again"
stop_service
