#!/bin/sh
#
# Serve a list with httpd(8), over TLS with a certificate of openssl(1), and name it as a feed, without
# a list of the service. Run an update.
# Check that the table has the list, that a second update asks whether it has changed and is told that
# it has not, and that a list that has changed is in the table after a third.
# End httpd. Check that an update fails with the reason, and that the copy stays.
# Add a feed whose name nobody can resolve. Check that it fails by its name, and the other does not.
# Give the engine a file system of its own that is all but full. Check that nothing is fetched, that this
# is said with the way out, and that the table stays as it is.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
[ -x "$HTTPD" ] || skip "no $HTTPD"
[ "$(df -kP "$dir" | awk 'END { print ($4 >= 200000 && $4 * 9 >= $2) }')" = 1 ] ||
	skip "less than 200 MB, or a ninth, is free where $dir is"
prefer_pf

web=
small=$dir/small
cleanup() {
	quiet "$web"
	umount -f "$small" 2>/dev/null || :
}

# The list of a file, until "quiet" ends it.
serve_feed() {
	install -m 644 "$1" "$dir/www/list.txt"
	[ -z "$web" ] || return 0
	"$HTTPD" -d -f "$dir/httpd.conf" >>"$dir/httpd.log" 2>&1 &
	web=$!
	wait_for 10 "httpd does not listen: $(cat "$dir/httpd.log")" answers
}

answers() {
	nc -z 127.0.0.1 "$https" >/dev/null 2>&1
}

# The configuration of the case: the feeds of these names, each with its URL behind it.
feeds() {
	config 'policy.block = []' 'policy.allow = []' "https.ca_file = \"$dir/cert\"" \
	    "log.spool = \"$spool\""
	while [ $# -gt 0 ]; do
		printf '[[feed]]\nname = "%s"\nurl = "%s"\n' "$1" "$2" >>"$conf"
		shift 2
	done
}

said() {
	grep -q -e "\"GET /list.txt HTTP/1.1\" $1 " "$dir/www/logs/access.log"
}

make_certificate
mkdir -m 755 "$dir/www" "$dir/www/logs"
cat >"$dir/httpd.conf" <<EOF
prefork 1
chroot "$dir/www"
server "localhost" {
	listen on 127.0.0.1 tls port $https
	tls certificate "$dir/cert"
	tls key "$dir/key"
	root "/"
}
EOF
spool=$dir/spool
list=https://127.0.0.1:$https/list.txt
addresses 50 >"$dir/block"
serve_feed "$dir/block"
feeds drop "$list"
start
update
expect_table $BLOCK "$dir/block"

update
expect_line '^Processing block feed drop$'
expect_line '^No changes$'
wait_for 10 "httpd was not asked whether it has changed" said 304

# httpd tells by the second whether it has changed
sleep 1
addresses 60 >"$dir/block"
serve_feed "$dir/block"
update
expect_line '^Changed: +10 -0 blocked'
expect_table $BLOCK "$dir/block"

quiet "$web"
web=
no_update
expect_line '^Failed: feed drop: 127\.0\.0\.1.*: Connection refused.*; its copy of .* ago stays$'
expect_table $BLOCK "$dir/block"

serve_feed "$dir/block"
stop_service
feeds drop "$list" gone https://nothing.invalid/list.txt
start
no_update
expect_line '^Failed: feed gone: nothing\.invalid.*: .*resolv\.conf(5)'
! grep -q '^Failed: feed drop' "$dir/out" || fail "feed drop fails: $(cat "$dir/out")"
expect_table $BLOCK "$dir/block"
stop_service

mkdir "$small"
mount_mfs -s 16m swap "$small" >"$dir/mfs.log" 2>&1 || skip "mount_mfs: $(cat "$dir/mfs.log")"
chown "$user" "$small"
chmod 700 "$small"
spool=$small
feeds drop "$list"
start
no_update
expect_line "^Failed: feed drop: nothing is fetched: .*$small .*: make room there"
expect_table $BLOCK "$dir/block"
stop_service
