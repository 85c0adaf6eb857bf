#!/bin/sh
#
# Put a copy of threatstopd beside an engine of perl that begins as the engine does and then does what a
# word in a file says. Plant tables, and start it. For each word reload, and look at what comes of it:
# - descriptors with whole messages and with halves of some, in number: each message is answered;
# - a marked descriptor, lengths of 0, 15, 16385 and 2^32-1, garbage, a request before the greeting, a
#   flood of requests and 1300 files of which no answer is read: dropped, and the log says why;
# - half a message, and a set that is begun, and then silence: nothing;
# - an end by each exit status, and by a signal: started again, as architecture and log say;
# - an engine that stays when its socket is closed, that closes its socket and lives on, that is stopped,
#   that lingers at its death with unsent data: killed, and told; a stop takes no longer.
# Check each time that monitor and helper were not aborted by pledge(2) and that the tables are as they
# were; in the end that nobody is left behind, that the monitor has as much open as at first, and that
# the engine that is installed serves.

. "$(dirname "$0")/../lib.sh"
need_openbsd
need_root
need_programs
need_pf

# The version that all of them speak.
version=$(sed -n 's/^pub const VERSION: u32 = \([0-9]*\);$/\1/p' \
    "$regress/../src/imsg/message/mod.rs" 2>/dev/null || :)
[ -n "$version" ] || skip "no ../src/imsg, which says the version of the messages"

real=$(dirname "$THREATSTOPD")/threatstopd-engine
[ -x "$real" ] || real=$(dirname "$THREATSTOPD")/../libexec/threatstopd-engine
[ -x "$real" ] || skip "no $real"
bin=$dir/bin
mkdir -m 755 "$bin"
cp "$THREATSTOPD" "$bin/threatstopd"
THREATSTOPD=$bin/threatstopd

cat >"$dir/engine" <<'EOF'
#!/usr/bin/perl
use strict;
use warnings;
use Fcntl qw(F_GETFL F_SETFL O_NONBLOCK);
use Socket;

my ($dir) = $0 =~ m{^(.*)/};
open my $file, "<", "$dir/word" or die "word: $!";
my ($word, @more) = split ' ', scalar <$file>;
close $file;
my $version = $ARGV[0];

exit $more[0] if $word eq "exit-early";
$| = 1;
$SIG{PIPE} = "IGNORE";
open my $peer, "+<&=", 3 or die "peer: $!";
open my $told, "<&=", 4 or die "told: $!";
open my $alive, ">&=", 5 or die "alive: $!";
blocking($peer);
blocking($told);

# the configuration, and what the helper says until all is said
my $text = "";
until ($text =~ /\0/) {
	sysread($told, $text, 4096, length $text) or exit 0;
}
my $input = "";
1 while answer() != 107;

send_all(frame(1, pack "L", $version)) unless $word eq "ungreeted";
syswrite $alive, "a";
my $stats = frame(5, "");

if ($word eq "ungreeted") {
	send_all($stats);
} elsif ($word eq "garbage") {
	send_all("\xa5" x 4096);
} elsif ($word eq "length") {
	send_all(pack "L4", 5, $more[0], 7, 0);
} elsif ($word eq "half") {
	send_all(substr frame(8, "\2\0"), 0, 11);
} elsif ($word eq "begin") {
	send_all(frame(2, pack "CCL", 0, 0, 1000), frame(3, pack "CC4C", 4, 198, 18, 0, 1, 32));
} elsif ($word eq "marked") {
	rights(pack("L4", 5, 16 | 1 << 31, 7, 0), 1);
} elsif ($word eq "descriptors") {
	for my $round (1 .. 20) {
		rights($stats, 1 + 5 * $round);
		answer() == 109 or die "no answer";
		rights(substr($stats, 0, 5), 1);
		rights(substr($stats, 5), 1);
		answer() == 109 or die "no answer";
	}
	warn "hostile: 40 answers\n";
} elsif ($word eq "unread") {
	my $ask = frame($more[0], $more[0] == 8 ? "\4\0" : "");
	for (1 .. $more[1]) {
		exit 0 unless defined syswrite $peer, $ask;
	}
	# and reads nothing: the helper has to end it
	sleep 600;
} elsif ($word eq "exit") {
	exit $more[0];
} elsif ($word eq "dies") {
	kill SEGV => $$;
} elsif ($word eq "stopped") {
	kill STOP => $$;
} elsif ($word eq "stays" or $word eq "closes") {
	$SIG{$_} = "IGNORE" for qw(TERM HUP INT USR1);
	close $peer if $word eq "closes";
	while (1) {
		syswrite $alive, "a";
		select undef, undef, undef, 1;
	}
} elsif ($word eq "lingers") {
	# nobody reads the other end, which lives as long as this process: a listener of its own
	socket my $listener, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
	bind $listener, pack_sockaddr_in(0, INADDR_LOOPBACK) or die "bind: $!";
	listen $listener, 1 or die "listen: $!";
	if (!fork) {
		# holds the listener and reads nothing, until the case is over
		close $_ for $peer, $told, $alive;
		$SIG{$_} = "IGNORE" for qw(TERM HUP INT USR1);
		accept my $there, $listener or exit;
		open my $pid, ">", "$dir/reader.new" or exit;
		print $pid $$;
		close $pid;
		rename "$dir/reader.new", "$dir/reader";
		sleep 600;
		exit;
	}
	socket my $out, PF_INET, SOCK_STREAM, 0 or die "socket: $!";
	connect $out, getsockname $listener or die "connect: $!";
	setsockopt $out, SOL_SOCKET, SO_LINGER, pack "ii", 1, 300 or die "linger: $!";
	nonblocking($out);
	1 while defined syswrite $out, "x" x 65536;
	# one that does not block does not linger
	blocking($out);
	warn "hostile: lingers\n";
} elsif ($word ne "sit") {
	die "what is $word?";
}

# lives until the helper closes the socket
while (1) {
	my $ready = "";
	vec($ready, 3, 1) = 1;
	if (select $ready, undef, undef, 5) {
		exit 0 unless sysread $peer, my $rest, 65536;
		# what is not read on purpose waits in the socket, and the end behind it
	}
	syswrite $alive, "a";
}

sub blocking {
	fcntl $_[0], F_SETFL, fcntl($_[0], F_GETFL, 0) & ~O_NONBLOCK or die "fcntl: $!";
}

sub nonblocking {
	fcntl $_[0], F_SETFL, fcntl($_[0], F_GETFL, 0) | O_NONBLOCK or die "fcntl: $!";
}

sub frame {
	my ($kind, $payload) = @_;
	return pack("L4", $kind, 16 + length $payload, 7, 0) . $payload;
}

sub send_all {
	my $octets = join "", @_;
	while (length $octets) {
		my $count = syswrite $peer, $octets;
		return unless defined $count;
		substr $octets, 0, $count, "";
	}
}

# The type of the next message; what belongs to it is dropped, descriptors too, which read(2) disposes of.
sub answer {
	while (1) {
		if (length $input >= 16) {
			my ($kind, $length) = unpack "L2", $input;
			$length &= 0x7fffffff;
			if (length $input >= $length) {
				substr $input, 0, $length, "";
				return $kind;
			}
		}
		sysread($peer, $input, 65536, length $input) or exit 0;
	}
}

# sendmsg(2) with so many descriptors of /dev/null: number 28 of OpenBSD, 64 bit
sub rights {
	my ($octets, $count) = @_;
	open my $null, "<", "/dev/null" or die "/dev/null: $!";
	my $fds = pack "i*", (fileno $null) x $count;
	# cmsghdr: socklen_t len, int level, int type; data begins at the next multiple of 8
	my $control = pack("Lii x4", 16 + length $fds, SOL_SOCKET, 1) . $fds;
	$control .= "\0" x (-length($control) % 8);
	my $iov = pack "PQ", $octets, length $octets;
	# msghdr: name, namelen, iov, iovlen, control, controllen, flags
	my $message = pack "Q L x4 P L x4 P L i", 0, 0, $iov, 1,
	    $control, length $control, 0;
	syscall(28, fileno $peer, $message, 0) == length $octets or die "sendmsg: $!";
}
EOF
chmod 755 "$dir/engine"

# Puts a program in the place of the engine, of which one may run.
install_engine() {
	cp "$1" "$bin/new"
	chmod 755 "$bin/new"
	mv "$bin/new" "$bin/threatstopd-engine"
}

# How often the log has these words.
told() {
	grep -c -e "$1" "$dir/log" || :
}

told_again() {
	[ "$(told "$1")" -gt "$2" ]
}

# The next engine does what the word says; waits for words in the log, which come once more.
play() {
	before=$(told "$2")
	reloads=$(told 'reloaded, helper ')
	echo "$1" >"$bin/word"
	kill -HUP "$monitor"
	wait_for 30 "$1: no \"$2\" in the log" told_again "$2" "$before"
	untouched "$1"
	! grep -q 'terminated; signal 6' "$dir/log" || fail "$1: aborted: pledge(2) violated"
	! gone "$monitor" || fail "$1: the monitor is gone"
	case $2 in
	*killed | *behind)
		# of the one before; now its own is to come
		wait_for 10 "$1: no new engine" told_again 'reloaded, helper ' "$reloads"
		;;
	esac
}

untouched() {
	holds $BLOCK "$dir/block" || fail "$1: the block table is another"
	holds $ALLOW "$dir/allow" || fail "$1: the allow table is another"
	(cd "$dir/tables" && ls -i ./*.pftable) | diff -u "$dir/files" - || fail "$1: other files"
	cmp "$dir/block" "$dir/tables/$BLOCK.pftable"
	cmp "$dir/allow" "$dir/tables/$ALLOW.pftable"
}

# The descriptors of the monitor.
open_files() {
	fstat -p "$monitor" | wc -l
}

children() {
	pgrep -P "$monitor" | wc -l
}

two_children() {
	[ "$(children)" -eq 2 ]
}

# Starts it with an engine that does what the word says, in the foreground of the background.
start_hostile() {
	before=$(told 'started, helper ')
	echo "$1" >"$bin/word"
	"$THREATSTOPD" -d -f "$conf" -s "$sock" >>"$dir/log" 2>&1 &
	monitor=$!
	wait_for 30 "$1: threatstopd does not start" told_again 'started, helper ' "$before"
}

let_reader_go() {
	[ ! -s "$bin/reader" ] || kill -9 "$(cat "$bin/reader")" 2>/dev/null || :
	rm -f "$bin/reader"
}

cleanup() {
	# engines that stay after their monitor
	pkill -KILL -f "$bin/threatstopd-engine" || :
	let_reader_go
}

addresses 10 >"$dir/block"
addresses 3 198.19 >"$dir/allow"
for name in $BLOCK $ALLOW; do
	list=$dir/block
	[ "$name" = "$BLOCK" ] || list=$dir/allow
	$PFCTL -q -a "$anchor" -t "$name" -T replace -f "$list"
	(umask 077 && cat "$list" >"$dir/tables/$name.pftable")
done
: >"$dir/pflog"
(cd "$dir/tables" && ls -i ./*.pftable) >"$dir/files"
# what may wait for the engine grows with the entries of a table
config 'log.enabled = true' 'log.url = "https://127.0.0.1:9/"' 'guard.max_entries = 1000'
install_engine "$dir/engine"

start_hostile sit
untouched start
files=$(open_files)

play descriptors 'hostile: 40 answers'
! grep -q 'dropped' "$dir/log" || fail "dropped for descriptors that the kernel disposes of"
play 'marked' 'engine dropped: message of type 5: descriptor missing or not asked for'
play 'length 0' 'engine dropped: message of 0 octets'
play 'length 15' 'engine dropped: message of 15 octets'
play 'length 16385' 'engine dropped: message of 16385 octets'
play 'length 4294967295' 'engine dropped: message of 2147483647 octets'
play garbage 'engine dropped: message of 631612837 octets'
play ungreeted 'engine dropped: a request before the greeting'
play 'unread 5 100000' 'engine dropped: the other process does not read its messages'
play 'unread 8 1300' 'engine dropped: the other process does not read its messages'
play half 'reloaded, helper '
play begin 'reloaded, helper '
play sit 'reloaded, helper '

for status in 0 1 4 5 6 42 134 255; do
	play "exit $status" 'gone; starting again in 1 s, the tables stay'
	play sit 'reloaded, helper '
done
play 'exit 2' 'started anew, helper '
play 'exit 3' 'reloaded, helper '
play dies 'engine terminated; signal 11'

# fifty rounds
round=0
while [ $round -lt 10 ]; do
	round=$((round + 1))
	play garbage 'engine dropped: message of 631612837 octets'
	play 'exit 1' 'engine gone; starting again in 1 s, the tables stay'
	play 'unread 8 1300' 'engine dropped: the other process does not read its messages'
	play dies 'engine terminated; signal 11'
	play sit 'reloaded, helper '
done
[ "$(open_files)" -eq "$files" ] || fail "after fifty rounds $(open_files) files are open, not $files"

play stays 'reloaded, helper '
play stopped 'engine did not leave; killed'
play sit 'engine did not leave; killed'
play closes 'engine did not leave; killed'
play sit 'reloaded, helper '

# two and a half seconds, and one and a half that it is waited for; 300 it would take
play lingers 'hostile: lingers'
play sit 'does not die; left behind'
let_reader_go
wait_for 10 "who lingered is not waited for" two_children
[ "$(open_files)" -eq "$files" ] || fail "the monitor has $(open_files) files open, not $files"

install_engine "$real"
play sit 'reloaded, helper '
wait_for 30 "the engine that is installed does not serve" ready
stop_service
untouched stop

install_engine "$dir/engine"
for word in stays stopped closes lingers begin; do
	start_hostile $word
	sleep 1
	pgrep -P "$monitor" >"$dir/children"
	stop_service
	let_reader_go
	while read -r child; do
		wait_for 10 "$word: a process is left behind" gone "$child"
	done <"$dir/children"
	untouched "$word"
done
