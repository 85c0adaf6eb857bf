# For cases that send packets: two pair(4) interfaces back to back, the far one in a routing domain
# of its own, so that what goes from one address to the other passes pf in between.
# What is not assigned here is in lib.sh.
# shellcheck shell=sh disable=SC2154,SC3043

# Addresses of both ends; those that the lists name are on the far end.
near=192.0.2.1
far=203.0.113.9
near6=2001:db8:f::1
far6=2001:db8:bad::9
inner=
outer=
connected=

# What interfaces have when threatstopd starts is protected, in whatever routing domain they are; and an
# update that finds others starts it anew. So it is started, and updates, without those of connect().
need_packets() {
	local interface
	need_pf
	need_anchor
	inner=pair$RDOMAIN
	outer=pair$((RDOMAIN + 1))
	for interface in "$inner" "$outer" "lo$RDOMAIN" "pflog$RDOMAIN"; do
		! ifconfig "$interface" >/dev/null 2>&1 || skip "$interface is in use: set RDOMAIN"
	done
}

connect() {
	connected=yes
	ifconfig "$inner" create
	ifconfig "$outer" create
	ifconfig "$outer" rdomain "$RDOMAIN"
	ifconfig "$inner" inet $near/24
	ifconfig "$inner" inet6 $near6 prefixlen 64
	ifconfig "$outer" inet 192.0.2.2/24
	ifconfig "$outer" inet $far/32 alias
	ifconfig "$outer" inet6 2001:db8:f::2 prefixlen 64
	ifconfig "$outer" inet6 $far6 prefixlen 128
	ifconfig "$inner" patch "$outer"
	ifconfig "$inner" up
	ifconfig "$outer" up
	route -qn add 203.0.113.0/24 192.0.2.2
	route -qn add -inet6 2001:db8:bad::/48 2001:db8:f::2
	wait_for 10 "addresses stay tentative" settled
	! $PFCTL -sI -v | grep -qE "^($inner|$outer) .*skip" || skip "pf skips $inner or $outer"
}

# A host behind this one, which pf translates by the inner interface. It is an address of that: what comes
# back would be refused by any other, as nothing is forwarded here. The rule comes before those of the
# tables, as in most pf.conf(5).
behind=198.18.99.2

connect_behind() {
	ifconfig "$inner" inet $behind/32 alias
	sed -i "1i\\
match out on $inner inet from $behind to any nat-to $near
" "$dir/anchor.conf"
	$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
}

ping_behind() {
	ping -n -c 1 -w 2 -I $behind $far
}

settled() {
	! { ifconfig "$inner" && ifconfig "$outer"; } | grep -q tentative
}

# Takes away all that is there of it, of which a case that ends early may have made a part.
disconnect() {
	[ -n "$connected" ] || return 0
	connected=
	{
		route -qn delete 203.0.113.0/24
		route -qn delete -inet6 2001:db8:bad::/48
		ifconfig "$inner" destroy
		ifconfig "$outer" destroy
		ifconfig "lo$RDOMAIN" destroy
	} >/dev/null 2>&1 || :
}

# Takes it away amid a case.
disconnected() {
	local interface
	disconnect
	for interface in "$inner" "$outer" "lo$RDOMAIN"; do
		! ifconfig "$interface" >/dev/null 2>&1 || fail "$interface cannot be destroyed"
	done
}

# Runs an update while what is connected is not there.
update_apart() {
	disconnected
	update
	connect
}

# One echo request each, from here to the far end and back the other way round.
ping_out() {
	ping -n -c 1 -w 2 $far && ping6 -n -c 1 -w 2 $far6
}

ping_in() {
	ping -n -c 1 -w 2 -V "$RDOMAIN" -I $far $near &&
		ping6 -n -c 1 -w 2 -V "$RDOMAIN" -I $far6 $near6
}

# Logs to $dir/pflog what the rules of the anchor log, through a pflogd(8) of our own.
pflogd=
logs_to=
start_pflogd() {
	logs_to=pflog$RDOMAIN
	ifconfig "pflog$RDOMAIN" create
	ifconfig "pflog$RDOMAIN" up
	sed -i "s/ log / log (to pflog$RDOMAIN) /" "$dir/anchor.conf"
	$PFCTL -q -a "$anchor" -f "$dir/anchor.conf"
	pflogd -D -d 5 -i "pflog$RDOMAIN" -f "$dir/pflog" >>"$dir/pflogd.log" 2>&1 &
	pflogd=$!
	wait_for 10 "pflogd does not start" test -s "$dir/pflog"
}

stop_pflogd() {
	[ -n "$logs_to" ] || return 0
	quiet "$pflogd"
	ifconfig "$logs_to" destroy
} 2>/dev/null

cleanup() {
	disconnect
	stop_pflogd
}

# States of the anchor's interfaces with an address, in its text of pfctl(8).
states_of() {
	$PFCTL -ss | grep -F -c -e "$1" || :
}

# The log has of what ends states only what it has ended.
only_endings() {
	! grep '^threatstopd-states: ' "$dir/log" |
	    grep -v ': ended [0-9]* of [0-9]* states: an end is blocked$' >&2 ||
		fail "threatstopd-states says more than what it has ended"
	! grep -e 'states gone' -e 'states terminated' "$dir/log" >&2 || fail "what ends states has ended"
}

none_of() {
	[ "$(states_of "$1")" -eq 0 ]
}

some_of() {
	[ "$(states_of "$1")" -gt 0 ]
}
