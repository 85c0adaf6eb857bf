#!/bin/sh
#
# By hand: make -C regress/pf speed. What large tables cost.
# For lists of 20,000, 100,000 and 400,000 addresses, five times each: fill the empty table of a list, give it
# the same list once more, and one in which each hundredth address is another. By DIOCRSETADDRS and
# nothing else, asked as a trial and in earnest; by pfctl -T replace -f; by updates of threatstopd.
# Check each time that pf has just the list. Print how long each took, for BENCHMARKS.md.

. "$(dirname "$0")/../lib.sh"
: "${SIZES:=20000 100000 400000}" "${ROUNDS:=5}"
# below the anchor of the cases, so that its rule leads no packet here
PF_ANCHOR=$PF_ANCHOR/speed
need_programs
need_nsd
need_pf

limit=$($PFCTL -sm | awk '$1 == "table-entries" { print $4 }')
most=0
for size in $SIZES; do
	[ "$size" -ge 100 ] || fail "SIZES: $size has no hundredth address"
	[ "$size" -le "$most" ] || most=$size
done
# those to come are there before those to go are gone
[ $((most + most / 100)) -le "$limit" ] || fail "limit table-entries is $limit: \
put \"set limit table-entries $((most * 2))\" above the tables of pf.conf and load it with pfctl -f, \
or ask for less, such as SIZES=\"$((limit / 2))\""

samples=$dir/samples
now="-MTime::HiRes=clock_gettime,CLOCK_MONOTONIC"

# A sample of the step: of what, and milliseconds.
sample() {
	echo "$size $step $1 $2" >>"$samples"
}

empty() {
	$PFCTL -q -a "$anchor" -t $BLOCK -T flush
}

has() {
	holds $BLOCK "$1" || fail "$2, $step: pf has not the $size: $(diff -u "$dir/want" "$dir/have" | head -n 40)"
}

# struct pfioc_table and struct pfr_addr of <net/pfvar.h>, as they are on 64-bit systems; the ioctl wants
# nothing back but numbers.
by_call() {
	perl "$now" -e '
		use strict;
		my ($anchor, $table, $list) = @ARGV;
		open my $in, "<", $list or die "$list: $!\n";
		my @addresses = map { pack "C4 x34 C C x12", split(/\./), 2, 32 } <$in>;
		my $addresses = join "", @addresses;
		open my $pf, "+<", "/dev/pf" or die "/dev/pf: $!\n";
		# PFR_FLAG_DUMMY, then nothing
		for ([trial => 2], [call => 0]) {
			my ($what, $flags) = @$_;
			my $request = pack "a1024 a32 x8 J l8", $anchor, $table, unpack("J", pack "P", $addresses),
			    52, scalar @addresses, (0) x 4, $flags, 0;
			my $since = clock_gettime(CLOCK_MONOTONIC);
			ioctl $pf, 0xc4504445, $request or die "DIOCRSETADDRS: $!\n";
			printf "%s %.6f\n", $what, 1000 * (clock_gettime(CLOCK_MONOTONIC) - $since);
		}
	' "$anchor" $BLOCK "$1" >"$dir/took" || fail "DIOCRSETADDRS of $size, $step"
	while read -r what ms; do
		sample "$what" "$ms"
	done <"$dir/took"
	has "$1" DIOCRSETADDRS
}

# Runs a command whose output is in $dir/out; in $dir/took are milliseconds until its end, and those of
# processors.
timed() {
	perl "$now" -e '
		my $since = clock_gettime(CLOCK_MONOTONIC);
		my $status = system { $ARGV[1] } @ARGV[1 .. $#ARGV];
		my $wall = clock_gettime(CLOCK_MONOTONIC) - $since;
		my (undef, undef, $user, $system) = times;
		open my $out, ">", $ARGV[0] or die "$ARGV[0]: $!\n";
		printf $out "%.6f %.0f\n", 1000 * $wall, 1000 * ($user + $system);
		exit($status != 0);
	' "$dir/took" "$@" >"$dir/out" 2>&1 || fail "$*: $(cat "$dir/out")"
	read -r wall cpu <"$dir/took"
}

by_pfctl() {
	timed "$PFCTL" -q -a "$anchor" -t $BLOCK -T replace -f "$1"
	sample pfctl "$wall"
	sample pfctl-cpu "$cpu"
	has "$1" "pfctl -T replace"
}

# Milliseconds of processors that engine and helper have had.
spent() {
	for pid in $(engine) $(helper); do
		ps -o cputime= -p "$pid"
	done | awk -F '[:.]' '{ ms += 60000 * $1 + 1000 * $2 + 10 * $3 } END { print ms }'
}

by_update() {
	[ "$step" = unchanged ] || serve "$1" "$dir/allow"
	before=$(spent)
	timed "$THREATSTOPCTL" -s "$sock" update
	# what is done behind the answer counts
	sleep 1
	sample update "$wall"
	sample update-cpu $(($(spent) - before))
	has "$1" "threatstopctl update"
}

three_steps() {
	step=new
	"$1" "$dir/list"
	step=unchanged
	"$1" "$dir/list"
	step=changed
	"$1" "$dir/other"
}

: >"$dir/allow"
config
for size in $SIZES; do
	addresses "$size" >"$dir/list"
	# odd ones are nobody else's
	awk -F . -v OFS=. 'NR % 100 == 0 { $4++ } { print }' "$dir/list" >"$dir/other"
	round=0
	while [ $round -lt "$ROUNDS" ]; do
		empty
		three_steps by_call
		empty
		three_steps by_pfctl
		empty
		find "$dir/tables" "$dir/spool" -mindepth 1 -delete
		# the run at the start must not be the one that is measured
		start
		no_update
		three_steps by_update
		stop_service
		quiet "$nameserver"
		nameserver=
		round=$((round + 1))
	done
done

cat <<EOF
$(uname -srm), $(sysctl -n hw.model), $(sysctl -n hw.ncpuonline) processors; of $ROUNDS rounds,
milliseconds: medians, of processors (CPU, which ps and times know to 10) means.

| entries | | trial | call | pfctl | CPU | update | CPU |
|---:|---|---:|---:|---:|---:|---:|---:|
EOF
perl -e '
	my (%samples, @sizes);
	while (<STDIN>) {
		my ($size, $step, $what, $ms) = split;
		push @sizes, $size unless grep { $_ == $size } @sizes;
		push @{ $samples{"$size $step $what"} }, $ms;
	}
	for my $size (@sizes) {
		for my $step (qw(new unchanged changed)) {
			my %of;
			for my $what (qw(trial call pfctl pfctl-cpu update update-cpu)) {
				my @all = sort { $a <=> $b } @{ $samples{"$size $step $what"} };
				my $sum = 0;
				$sum += $_ for @all;
				$of{$what} = $what =~ /cpu/ ? $sum / @all : $all[$#all / 2];
			}
			printf "| %d | %s | %.1f | %.1f | %.0f | %.0f | %.0f | %.0f |\n", $size,
			    $step eq "changed" ? "1 % changed" : $step,
			    @of{qw(trial call pfctl pfctl-cpu update update-cpu)};
		}
	}
' <"$samples"
cat <<'EOF'

Trial and call are DIOCRSETADDRS alone, as a question (PFR_FLAG_DUMMY) and in
earnest: pf holds its locks meanwhile. pfctl is pfctl -T replace -f of the same
list. Update is threatstopctl update, from the question to nsd(8) on loopback to
table and file, with one trial, and one call if anything is new; its CPU is that
of engine and helper.
EOF
