#!/bin/sh
#
# Have local_block name a symbolic link to a file in a directory, neither of which is there, and local_allow
# one to a file that is not there. Start threatstopd.
# Check that it starts, that an update fails for these two and for nothing else, and that the list of the
# service is in force.
# Make what the links lead to, and reload. Check that both files are in force, and an update succeeds.
# Put another file in the place of the one that local_block leads to. Check that it is seen.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

addresses 50 >"$dir/block"
: >"$dir/allow"
ln -s "$dir/later/mine" "$dir/block.link"
ln -s "$dir/exempt" "$dir/allow.link"
serve "$dir/block" "$dir/allow"
config "policy.local_block = \"$dir/block.link\"" "policy.local_allow = \"$dir/allow.link\"" \
    'tables.check_interval = "1s"'
start
no_update
for list in block allow; do
	expect_line "^Failed: local_$list: $dir/$list.link: .*No such file or directory"
done
[ "$(grep -c '^Failed: ' "$dir/out")" -eq 2 ] || fail "something else failed: $(cat "$dir/out")"
holds $BLOCK "$dir/block" || fail "the list of the service is not in force"

mkdir "$dir/later"
addresses 10 203.0 >"$dir/later/mine"
echo 198.18.0.2 >"$dir/exempt"
# unveil(2) keeps where a link leads at the start, and one that leads nowhere is not among it
first=$(engine)
ctl reload || fail "reload"
wait_for 10 "no new engine" another_engine "$first"
grep -v '^198\.18\.0\.2$' "$dir/block" >"$dir/less"
wait_for 20 "what the links lead to is not in force" holds $BLOCK "$dir/less" "$dir/later/mine"
update
addresses 12 203.0 >"$dir/other"
cp "$dir/other" "$dir/later/new"
mv "$dir/later/new" "$dir/later/mine"
wait_for 20 "the file that was replaced is not seen" holds $BLOCK "$dir/less" "$dir/other"
stop_service
