#!/bin/sh
#
# Start threatstopd. Send garbage, a line of a megabyte and nothing at all to the control socket,
# and leave fifty connections open.
# Check that status and update work meanwhile, that the socket has mode 0660, and, as root and where
# everybody can reach the programs, that somebody else may not even connect.

. "$(dirname "$0")/../lib.sh"
need_programs
need_nsd
prefer_pf

begin 10
[ -n "$(find "$sock" -type s -perm 0660)" ] || fail "not a socket of mode 0660"

perl -MIO::Socket::UNIX -e '
	my ($path, $marker) = @ARGV;
	$SIG{PIPE} = "IGNORE";
	sub client { IO::Socket::UNIX->new(Peer => $path) }
	for my $garbage ("\0" x 100, "{}\n", "{\"status\":\n", "x" x 1_000_000 . "\n") {
		my $client = client() or die "$path: $!";
		print $client $garbage;
	}
	my @held = grep { defined } map { client() } 1 .. 50;
	open my $file, ">", $marker or die;
	close $file;
	sleep 4;
' "$sock" "$dir/held" &
garbage=$!
wait_for 10 "the connections are not made" test -e "$dir/held"
kill -0 "$monitor"
# the engine takes so many at a time and drops those that say nothing
wait_for 20 "status does not work" ready
update
expect_table $BLOCK "$dir/block"
wait $garbage

if [ "$uid" -eq 0 ]; then
	if reachable; then
		! as_user -s "$sock" status || fail "not refused"
		expect_line '^threatstopctl: .*Permission denied (only root and the members of wheel'
	else
		echo "left out: $user cannot reach $THREATSTOPCTL"
	fi
fi
stop_service
