#!/bin/sh
#
# With PACKAGE set to the file of the package, which is not installed: install it.
# Check that it brings user, programs, manuals, rc script, configuration and directories, with the
# modes and owners that they need; that the configuration is refused for want of a device id; that
# nothing is enabled, started, or changed in the files of base, and that there are no table files.
# Let setup make the table files. Run the case rcctl: enable, start, check, reload, stop.
# Remove the package. Check that programs and rc script are gone, and that the table files, the
# configuration that was edited and what the engine had stay, as do the files of base.
# Install and remove it once more, with -c. Check that the configuration and what the engine had are
# gone, and that the table files stay, for pf.conf may name them.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
[ -n "${PACKAGE:-}" ] || skip "PACKAGE is not set: it names the file of a package to install and remove"
[ -f "$PACKAGE" ] || fail "$PACKAGE: no such file"
tables=/var/db/threatstop
spool=/var/threatstop
sample=/etc/threatstopd.toml
for path in /etc/rc.d/threatstopd $sample $tables $spool; do
	[ ! -e "$path" ] || skip "$path is there: this case removes what it finds after the package"
done
# what the case rcctl needs
need_nsd
need_enabled
had_user=yes
id _threatstop >/dev/null 2>&1 || had_user=no

cleanup() {
	[ ! -e /etc/rc.d/threatstopd ] || pkg_delete -I threatstopd
	rm -rf $tables $spool $sample
	if [ $had_user = no ]; then
		userdel _threatstop
		groupdel _threatstop
	fi
} >/dev/null 2>&1

# What belongs to base and must stay as it is.
base() {
	for path in /etc/pf.conf /etc/newsyslog.conf /etc/rc.conf /etc/rc.conf.local; do
		[ ! -e $path ] || cksum $path
	done
	crontab -l 2>/dev/null || :
	$PFCTL -sr
}

# A file or directory with this mode and owner.
is() {
	[ -n "$(find "$1" -prune -perm "$2" -user "$3" -group "$4")" ] || fail "$(ls -ld "$1")"
}

table_files() {
	for name in $ALLOW $BLOCK; do
		is "$tables/$name.pftable" 600 root wheel
	done
}

before=$(base)
# it has no signature yet
pkg_add -I -D unsigned "$PACKAGE"
need_programs
[ "$(base)" = "$before" ] || fail "the package changed base: $(base)"
! rcctl get threatstopd status || fail "the package enabled the service"
! rcctl check threatstopd || fail "the package started the service"
is $sample 600 root wheel
is $tables 700 root wheel
is $spool 700 _threatstop _threatstop
[ -x /etc/rc.d/threatstopd ] || fail "no rc script"
[ -z "$(ls $tables)" ] || fail "the package made table files: $(ls $tables)"
for program in engine states; do
	[ -x /usr/local/libexec/threatstopd-$program ] || fail "no $program"
done
for page in man5/threatstopd.toml.5 man8/threatstopctl.8 man8/threatstopd.8; do
	[ -s /usr/local/man/$page ] || fail "no $page"
done
! "$THREATSTOPD" -n 2>"$dir/out" || fail "accepted without a device id"
expect_line "^$sample:[0-9]*: device_id: not set"

sed 's/^device_id = ""/device_id = "tdid_regress01"/' $sample >"$dir/edited"
cat "$dir/edited" >$sample
"$THREATSTOPD" -n
"$THREATSTOPCTL" setup >"$dir/lines" 2>&1
table_files

sh "$regress/rc/rcctl.sh" >"$dir/rcctl" || fail "rcctl failed: $(cat "$dir/rcctl")"
! grep '^SKIPPED' "$dir/rcctl" || fail "rcctl did not run"

echo >$spool/left
pkg_delete -I threatstopd
[ -e $spool/left ] || fail "what the engine had is gone"
for path in /etc/rc.d/threatstopd "$THREATSTOPD" "$THREATSTOPCTL" \
    /usr/local/libexec/threatstopd-engine /usr/local/libexec/threatstopd-states; do
	[ ! -e "$path" ] || fail "$path is still there"
done
table_files
cmp "$dir/edited" $sample || fail "the edited configuration is not as it was"
[ "$(base)" = "$before" ] || fail "base is not as before: $(base)"

pkg_add -I -D unsigned "$PACKAGE"
cmp "$dir/edited" $sample || fail "the package changed a configuration that was there"
pkg_delete -I -c threatstopd
[ ! -e $sample ] || fail "pkg_delete -c leaves $sample"
[ ! -e $spool ] || fail "pkg_delete -c leaves $spool: $(ls $spool)"
table_files
