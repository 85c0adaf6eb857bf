#!/bin/sh
#
# Start threatstopd and run an update. Put an unknown key into the configuration; send SIGHUP.
# Check that file and line are logged and in status, that the engine is the same one, and that it still
# updates. Check that "threatstopctl reload" says the same, exits 1 and replaces nobody, and that status
# warns still.
# Kill the engine. Check that the new one has the configuration from before the mistake.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 100
first=$(engine)

config 'policy.intervall = "2h"'
kill -HUP "$monitor"
wait_for 10 "nothing is logged" grep -q 'configuration reload failed: .*threatstopd.toml:[0-9]*: unknown key "intervall"' "$dir/log"
[ "$(engine)" = "$first" ] || fail "the engine was replaced"
update
broken='does not load, .*threatstopd.toml:[0-9]*: '
wait_for 10 "status does not warn" state "${broken}unknown key"
! ctl reload 2>"$dir/out" || fail "reload of a bad file succeeded"
expect_line '^threatstopctl: reload: .*threatstopd.toml:[0-9]*: unknown key'
[ "$(engine)" = "$first" ] || fail "the engine was replaced by reload"
state "$broken" || fail "status does not warn"

kill -9 "$first"
wait_for 10 "no new engine" another_engine "$first"
update
expect_table $BLOCK "$dir/block"
stop_service
