#!/bin/sh
#
# Give an old threatstop.conf to "threatstopctl import", with a command in each kind of quotes.
# Check that no command was run, and that what it prints is a configuration with the old values.

. "$(dirname "$0")/../lib.sh"
need_programs

cd "$dir" || exit 1
cat >old.conf <<'E1'
# old settings
dns_servers="192.0.2.53 192.0.2.54"
block_list="one.org.threatstop.local"
allow_list="dns.threatstop.local"
device_id="tdid_abcd1234"
comment="$(touch executed)"
other=`touch executed`
E1
"$THREATSTOPCTL" import old.conf >new.toml 2>out
[ ! -e executed ] || fail "a command was run"
chmod 600 new.toml
"$THREATSTOPD" -nv -f new.toml >out 2>&1 || fail "$(cat out)"
expect_line '^device_id = "tdid_abcd1234"$' out
expect_line '^servers = \["192.0.2.53", "192.0.2.54"\]$' out
expect_line '^block = \["one.org.threatstop.local"\]$' out
