#!/bin/sh
#
# Serve a block list and run an update. Stop the server.
# Check that an update fails, and that the table stays; also over a restart.
# Serve the list again. Check that an update succeeds.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 50

quiet "$nameserver"
nameserver=
no_update
expect_line "127.0.0.1"
expect_table $BLOCK "$dir/block"
stop_service
start
no_update
expect_table $BLOCK "$dir/block"

serve "$dir/block" "$dir/allow"
update
expect_line '^No changes$'
stop_service
