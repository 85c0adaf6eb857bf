#!/bin/sh
#
# Serve a block list of 20,000 addresses, in parts to which PTR records of its name point.
# Start threatstopd and run an update.
# Check that each of them is in the table.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 20000
expect_table $ALLOW "$dir/allow"
stop_service
