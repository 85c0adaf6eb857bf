#!/bin/sh
#
# Check that ksh reads the script, and that the one of the port differs from it in nothing but the
# prefix.

. "$(dirname "$0")/../lib.sh"
need_tree rc.d
need_tree port
script=$regress/../rc.d/threatstopd
twin=$regress/../port/pkg/threatstopd.rc

ksh=$(command -v ksh || command -v mksh) || skip "no ksh"
$ksh -n "$script"
# shellcheck disable=SC2016 # as it stands in the port
sed 's,/usr/local,${TRUEPREFIX},' "$script" | diff -u "$twin" -
