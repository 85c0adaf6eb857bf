# What the cases share; a case begins with its steps and then reads this file.
#
# Its directory is $dir, removed at the end. What fails ends the case, with the log.
# A function assigns no names but its own, with local, which every sh(1) has that is meant here, and
# those below: any other might be the case's.
# shellcheck shell=sh disable=SC3043

set -eu
umask 022

: "${THREATSTOPD:=/usr/local/sbin/threatstopd}" "${THREATSTOPCTL:=/usr/local/sbin/threatstopctl}"
: "${NSD:=/usr/sbin/nsd}" "${HTTPD:=/usr/sbin/httpd}" "${PFCTL:=/sbin/pfctl}" "${PF_ANCHOR:=regress}" "${RDOMAIN:=11}"
: "${KEEP:=no}"

BLOCK=ThreatSTOP-Block
ALLOW=ThreatSTOP-Allow
regress=$(cd "$(dirname "$0")/.." && pwd)
# where there is no source tree, those of the package
samples=$regress/../etc
[ -d "$samples" ] || samples=/usr/local/share/examples/threatstopd
# a case may go elsewhere
self=$(cd "$(dirname "$0")" && pwd)/${0##*/}
system=$(uname)
uid=$(id -u)
backend=simulated
anchor=
monitor=
nameserver=
dir=
conf=
sock=
port=
user=
https=
answering=

# ---- the ends of a case

skip() {
	echo "SKIPPED: $1"
	exit 0
}

fail() {
	echo "$1" >&2
	exit 1
}

# A case adds what else has to be undone by defining cleanup().
cleanup() {
	:
}

finish() {
	local status=$? log
	trap - EXIT HUP INT TERM
	trap '' PIPE
	set +e
	[ -z "$monitor" ] || kill -9 "$monitor" 2>/dev/null
	# nsd has children, which it takes with it
	quiet "$nameserver"
	quiet "$answering"
	cleanup
	[ "$backend" = simulated ] || flush_anchor
	[ -n "$dir" ] || exit "$status"
	if [ "$status" -eq 0 ] && grep -q 'terminated; signal 6' "$dir/log"; then
		echo "a process was aborted: pledge(2) violated?" >&2
		status=1
	fi
	if [ "$status" -ne 0 ]; then
		echo "The case:"
		sed -n '/^#!/d;/^#$/d;/^$/q;s/^#/   /p' "$self"
		for log in "$dir/log" "$dir/nsd.log"; do
			[ -s "$log" ] || continue
			echo "End of $log:"
			tail -n 40 "$log"
		done
	fi >&2
	case $KEEP in
	yes)
		echo "kept: $dir"
		;;
	*)
		rm -rf "$dir"
		;;
	esac
	exit "$status"
}

trap finish EXIT
trap 'exit 1' HUP INT PIPE TERM

# ---- what a case needs

need_programs() {
	local program
	for program in "$THREATSTOPD" "$THREATSTOPCTL"; do
		[ -x "$program" ] || skip "no $program"
	done
	dir=$(mktemp -d "${TMPDIR:-/tmp}/threatstopd.XXXXXXXXXX")
	# the engine has to reach its own directory
	chmod 711 "$dir"
	conf=$dir/threatstopd.toml
	sock=$dir/sock
	# below those that Linux gives to whoever asks for any
	port=$((20000 + $$ % 12000))
	user=$(id -un)
	if [ "$uid" -eq 0 ]; then
		user=nobody
		! id _threatstop >/dev/null 2>&1 || user=_threatstop
	fi
	mkdir -m 700 "$dir/tables"
	mkdir -m 700 "$dir/spool"
	[ "$uid" -ne 0 ] || chown "$user" "$dir/spool"
	: >"$dir/log"
}

# A file or directory of the source tree, of which the suite may be alone here.
need_tree() {
	[ -e "$regress/../$1" ] || skip "no ../$1, which is compared"
}

need_nsd() {
	[ -x "$NSD" ] || skip "no $NSD"
}

need_openbsd() {
	[ "$system" = OpenBSD ] || skip "needs OpenBSD"
}

need_root() {
	[ "$uid" -eq 0 ] || skip "needs root"
}

need_enabled() {
	$PFCTL -si 2>/dev/null | grep -q '^Status: Enabled' || skip "pf is disabled"
}

# The tables of the case are in pf, in the anchor; the rules of the sample are loaded there.
need_pf() {
	need_openbsd
	need_root
	need_enabled
	[ -e "$samples/pf.conf.threatstop" ] || skip "no $samples/pf.conf.threatstop"
	backend=pf
	anchor=$PF_ANCHOR
	load_anchor
}

# Packets, or who looks at all rules, get to the anchor.
need_anchor() {
	$PFCTL -sr | grep -q "^anchor \"$PF_ANCHOR\" all" ||
		skip "no line 'anchor \"$PF_ANCHOR\"' in the rules of pf: see regress/README"
}

# What no rule of the anchor blocks has a state, which the rule that pf has where there is none does not make.
need_states() {
	$PFCTL -sr | grep -q '^pass .*flags S/SA' ||
		skip "no rule that passes and keeps state in the rules of pf: see regress/README"
}

# pf where there is one, else simulated tables: for cases that are about something else.
prefer_pf() {
	if [ "$system" = OpenBSD ] && [ "$uid" -eq 0 ]; then
		need_pf
	fi
}

# ---- configuration

# The configuration of the case; each argument is a line "key = value" that replaces another.
config() {
	{
		cat <<-EOF
		device_id = "tdid_regress01"
		user = "$user"
		policy.servers = ["127.0.0.1:$port"]
		policy.timeout = "5s"
		tables.directory = "$dir/tables"
		tables.backend = "$backend"
		tables.anchor = "$anchor"
		log.enabled = false
		log.file = "$dir/pflog"
		log.spool = "$dir/spool"
		EOF
		[ $# -eq 0 ] || printf '%s\n' "$@"
	} | awk -F ' = ' '
		!($1 in line) { key[++n] = $1 }
		{ line[$1] = $0 }
		END { for (i = 1; i <= n; i++) print line[key[i]] }
	' >"$conf.new"
	chmod 600 "$conf.new"
	mv "$conf.new" "$conf"
}

# ---- the policy service

# Serves two lists from files with one item a line; a list of thousands comes in parts.
serve() {
	quiet "$nameserver"
	{
		cat <<-'EOF'
		$ORIGIN threatstop.local.
		$TTL 60
		@ SOA ns hostmaster 1 3600 600 86400 60
		@ NS ns
		ns A 127.0.0.1
		EOF
		zone basic "$1"
		zone dns "$2"
	} >"$dir/zone"
	cat >"$dir/nsd.conf" <<-EOF
	server:
		ip-address: 127.0.0.1@$port
		username: ""
		chroot: ""
		zonesdir: "$dir"
		database: ""
		pidfile: "$dir/nsd.pid"
		zonelistfile: "$dir/zone.list"
		xfrdfile: "$dir/xfrd.state"
		xfrdir: "$dir"
		server-count: 1
	remote-control:
		control-enable: no
	zone:
		name: threatstop.local
		zonefile: zone
	EOF
	"$NSD" -d -c "$dir/nsd.conf" >>"$dir/nsd.log" 2>&1 &
	nameserver=$!
	wait_for 10 "nsd does not listen" listening
}

# The records of a list, 60 items of RFC 3123 each, 6000 a name, PTR to more names than one. They are
# written as RFC 3597 has it, for nsd 4.13 takes a prefix length of 128 in the text form for 121.
zone() {
	perl -MSocket=AF_INET,AF_INET6,inet_pton -e '
		my $name = shift;
		my @items = map {
			my ($not, $address, $length) = m{^(!?)([^/\s]+)/?(\d*)$} or die "no prefix: $_";
			my ($family, $of, $octets) = $address =~ /:/ ? (2, AF_INET6, 16) : (1, AF_INET, 4);
			$length = 8 * $octets if $length eq "";
			$octets |= 0x80 if $not;
			unpack "H*", pack "nCCa*", $family, $length, $octets, inet_pton($of, $address);
		} <>;
		my $parts = @items > 6000;
		print "$name APL \\# 0\n" unless @items;
		for (my $part = 0; @items; $part++) {
			my $owner = $parts ? "$part.$name" : $name;
			print "$name PTR $owner\n" if $parts;
			my @rest = splice @items, 0, 6000;
			while (my @record = splice @rest, 0, 60) {
				printf "%s APL \\# %d %s\n", $owner, length(join "", @record) / 2, "@record";
			}
		}
	' "$1" "$2"
}

listening() {
	perl -MIO::Socket::INET -e 'exit !IO::Socket::INET->new("127.0.0.1:$ARGV[0]")' "$port"
}

# ---- the log service

# Makes a key and a certificate for this host, and takes a port. The certificate is not that of an
# authority, which no client takes for a server's.
make_certificate() {
	cat >"$dir/openssl.cnf" <<-'EOF'
	[req]
	distinguished_name = name
	x509_extensions = server
	[name]
	[server]
	basicConstraints = critical,CA:FALSE
	subjectAltName = DNS:localhost,IP:127.0.0.1
	EOF
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
	    -config "$dir/openssl.cnf" -keyout "$dir/key" -out "$dir/cert" 2>"$dir/openssl.log" ||
	    fail "openssl: $(cat "$dir/openssl.log")"
	chmod 644 "$dir/cert"
	https=$((port + 1))
}

# Has nc(1) take one request and confirm it for a device, so long after the connection
# that it has come whole.
answer() {
	local body="Log file uploaded successfully for $1"
	(
		sleep 5
		printf 'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s' \
		    ${#body} "$body"
	) | nc -l -c -N -C "$dir/cert" -K "$dir/key" 127.0.0.1 "$https" >"$dir/request" 2>"$dir/nc.log" &
	answering=$!
	sleep 1
}

# ---- the daemon

# Starts threatstopd in the foreground of the background; further arguments are its own, and what
# stands in $under, such as ktrace(1), runs it.
under=
start() {
	# shellcheck disable=SC2086 # a command with arguments
	$under "$THREATSTOPD" -d -f "$conf" -s "$sock" "$@" >>"$dir/log" 2>&1 &
	monitor=$!
	wait_for 30 "threatstopd does not start" ready
}

ctl() {
	"$THREATSTOPCTL" -s "$sock" "$@"
}

# Runs a command of the control tool as the user of the engine, who is neither root nor in wheel; its
# output is in $dir/out. Which shell su(1) takes with -m is that of root on OpenBSD, and elsewhere what
# SHELL says; the user itself has none that does anything.
as_user() {
	SHELL=/bin/sh su -m "$user" -c "$THREATSTOPCTL $*" >"$dir/out" 2>&1
}

# Whether that user can reach the program, which need not be so where it is not installed.
reachable() {
	SHELL=/bin/sh su -m "$user" -c "test -x $THREATSTOPCTL"
}

ready() {
	ctl status >/dev/null 2>&1
}

# Whether a line of the state matches.
state() {
	ctl status | grep -q -e "$1"
}

# The children of the monitor. Names are cut off where they are kept short.
helper() {
	pgrep -P "$monitor" -x threatstopd
}

engine() {
	pgrep -P "$monitor" threatstopd-eng
}

another_engine() {
	ready && [ "$(engine)" != "$1" ]
}

gone() {
	! kill -0 "$1" 2>/dev/null
}

# Stops the daemon in order, within the five seconds that it has; by SIGTERM or another signal.
stop_service() {
	local since
	kill -s "${1:-TERM}" "$monitor"
	since=$(date +%s)
	wait "$monitor" || fail "threatstopd ended with status $?"
	monitor=
	[ $(($(date +%s) - since)) -le 6 ] || fail "threatstopd took more than 5 seconds to stop"
}

# Kills the daemon as nothing else can.
kill_monitor() {
	kill -9 "$monitor"
	# the shell would say that it was killed
	{ wait "$monitor" || :; } 2>/dev/null
	monitor=
}

# Runs an update that has to succeed; its output is in $dir/out.
update() {
	ctl update "$@" >"$dir/out" 2>&1 || fail "update: $(cat "$dir/out")"
}

# Runs an update that has to fail.
no_update() {
	! ctl update "$@" >"$dir/out" 2>&1 || fail "an update that must fail: $(cat "$dir/out")"
}

# A line of $dir/out, or of another file.
expect_line() {
	grep -q -e "$1" "${2:-$dir/out}" || fail "no line with \"$1\" in: $(cat "${2:-$dir/out}")"
}

# The usual beginning of a case: a block list of so many addresses, nothing allowed, an update.
# Further arguments are for the configuration.
begin() {
	addresses "$1" >"$dir/block"
	: >"$dir/allow"
	shift
	serve "$dir/block" "$dir/allow"
	config "$@"
	start
	update
	expect_table $BLOCK "$dir/block"
}

# ---- tables

kernel() {
	case $backend in
	pf)
		local shown
		shown=$($PFCTL -q -a "$anchor" -t "$1" -T show) || return
		[ -z "$shown" ] || echo "$shown" | sed 's/^ *//'
		;;
	*)
		cat "$dir/tables/$1.simulated"
		;;
	esac
}

# Whether a table is there, and has exactly the lines of these files, in whatever order.
holds() {
	local table
	table=$1
	shift
	sort "$@" >"$dir/want"
	{ kernel "$table" 2>/dev/null || echo "no table"; } | sort >"$dir/have"
	cmp -s "$dir/want" "$dir/have"
}

# Kernel, table file and the control tool have exactly the lines of a file; the latter two in this
# order.
expect_table() {
	local word
	holds "$1" "$2" || fail "pf table <$1>: $(diff -u "$dir/want" "$dir/have" | head -n 40)"
	diff -u "$2" "$dir/tables/$1.pftable" || fail "the table file of <$1> differs"
	word=block
	[ "$1" = $BLOCK ] || word=allow
	ctl show $word | diff -u "$2" - || fail "threatstopctl show $word differs"
}

# pf with the rules of the sample, in the anchor of the cases.
load_anchor() {
	local name
	for name in $ALLOW $BLOCK; do
		[ -e "$dir/tables/$name.pftable" ] || (umask 077 && : >"$dir/tables/$name.pftable")
	done
	# a limit belongs to the main ruleset
	sed -e "s,/var/db/threatstop,$dir/tables," -e '/^set limit/d' \
	    "$samples/pf.conf.threatstop" >"$dir/anchor.conf"
	$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
}

flush_anchor() {
	$PFCTL -q -a "$anchor" -F rules
	$PFCTL -q -a "$anchor" -F Tables
}

# ---- this and that

# Waits so many seconds for a command to succeed.
wait_for() {
	local left=$(($1 * 5)) why="$2"
	shift 2
	until "$@"; do
		[ $left -gt 0 ] || fail "$why"
		left=$((left - 1))
		sleep 0.2
	done
}

# Ends a process of ours and waits until it is gone.
quiet() {
	[ -n "$1" ] || return 0
	kill -TERM "$1" 2>/dev/null || :
	wait "$1" || :
}

# So many addresses from a /16 on, each in a network of its own.
addresses() {
	awk -v n="$1" -v first="${2:-198.18}" 'BEGIN {
		split(first, part, ".")
		for (i = 0; i < n; i++)
			printf "%d.%d.%d.%d\n", part[1], part[2] + int(i / 32768),
			    int(i / 128) % 256, i % 128 * 2
	}'
}
