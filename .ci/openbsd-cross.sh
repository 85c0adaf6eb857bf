#!/bin/sh
#
# Builds for OpenBSD/amd64 on Debian 12, where rustup offers no standard library for it: Debian's
# rustc-web comes with the library's source, which is built once; zig (a wheel on PyPI) is the C
# compiler and linker and has OpenBSD's headers and stub libraries.

set -eu

usage() {
	cat >&2 <<-EOF
	usage: $0 setup             install and build what is needed; again is harmless
	       $0 cargo command ... cargo for OpenBSD: check, clippy, build, test --no-run
	       $0 cc argument ...   the C compiler for OpenBSD
	OPENBSD_CROSS is where it is installed ($root),
	OPENBSD_TARGET_DIR cargo's target directory (target/openbsd),
	OPENBSD_RUSTFLAGS more flags for rustc, OPENBSD_VERSION the release to link for.
	EOF
	exit 2
}

root=${OPENBSD_CROSS:-$HOME/.cache/openbsd-cross}
triple=x86_64-unknown-openbsd
packages="rustc-web cargo-web rust-web-src rust-web-clippy"
debian=/usr/bin			# rustc-web installs here; a rustup toolchain earlier in PATH is no use
zig_release=0.17.1
zig=$root/py-$zig_release/ziglang/zig
cc=$root/bin/obcc
ar=$root/bin/obar

install_compilers() {
	# shellcheck disable=SC2086 # a list
	if ! dpkg -s $packages >/dev/null 2>&1; then
		apt-get update -q
		# The packages conflict with Debian's rustc: rather fail than remove that.
		DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-remove \
		    --no-install-recommends $packages
	fi
	[ -x "$zig" ] || python3 -m pip install -q --no-deps \
	    --target "${zig%/ziglang/zig}" "ziglang==$zig_release"
}

# rustc calls its linker with arguments of clang's cross mode. zig does not know the triple, and
# its sanitizer of undefined behaviour needs a runtime that OpenBSD does not have.
write_wrappers() {
	mkdir -p "$root/bin"
	cat >"$cc.new" <<-EOF
	#!/bin/sh
	: "\${ZIG_GLOBAL_CACHE_DIR:=$root/zig-cache}"
	export ZIG_GLOBAL_CACHE_DIR
	for argument; do
		shift
		case \$argument in
		--target=* | -m64) ;;
		*) set -- "\$@" "\$argument" ;;
		esac
	done
	exec "$zig" cc -target "x86_64-openbsd\${OPENBSD_VERSION:+.\$OPENBSD_VERSION}" \\
	    -fno-sanitize=undefined "\$@"
	EOF
	cat >"$ar.new" <<-EOF
	#!/bin/sh
	exec "$zig" ar "\$@"
	EOF
	chmod 755 "$cc.new" "$ar.new"
	mv "$cc.new" "$cc"		# somebody may be using them
	mv "$ar.new" "$ar"
}

# Once for a compiler: what cargo's unstable build-std does, by the lock file that std comes with.
build_std() {
	stamp="$("$debian/rustc" --version) zig-$zig_release r1"
	if [ -f "$root/stamp" ] && [ "$(cat "$root/stamp")" = "$stamp" ]; then
		return
	fi
	library=$("$debian/rustc" --print sysroot)/lib/rustlib/src/rust/library
	target=$root/sysroot/lib/rustlib/$triple/lib
	rm -rf "$root/stamp" "$root/sysroot" "$root/std-build"
	mkdir -p "$target"
	env -u RUSTFLAGS -u CARGO_ENCODED_RUSTFLAGS -u RUSTC_WRAPPER -u CARGO_BUILD_TARGET \
	    RUSTC="$debian/rustc" RUSTC_BOOTSTRAP=1 __CARGO_DEFAULT_LIB_METADATA=openbsd \
	    RUSTFLAGS="-Zforce-unstable-if-unmarked -Zcf-protection=branch -Cembed-bitcode=yes" \
	    CARGO_TARGET_X86_64_UNKNOWN_OPENBSD_LINKER="$cc" \
	    "$debian/cargo" build --quiet --release --locked --target "$triple" \
	    --manifest-path "$library/sysroot/Cargo.toml" --target-dir "$root/std-build" \
	    --features panic-unwind,backtrace
	cp "$root/std-build/$triple/release/deps/"*.rlib "$target"
	rm -rf "$root/std-build"
	echo "$stamp" >"$root/stamp"
}

run_cargo() {
	# In the environment these would replace the flags of the target.
	unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS RUSTUP_TOOLCHAIN
	PATH=$debian:$PATH		# for cargo-clippy
	export PATH RUSTC="$debian/rustc" RUSTDOC="$debian/rustdoc"
	export CARGO_BUILD_TARGET="$triple" CARGO_TARGET_DIR="${OPENBSD_TARGET_DIR:-target/openbsd}"
	export CARGO_TARGET_X86_64_UNKNOWN_OPENBSD_LINKER="$cc"
	export CARGO_TARGET_X86_64_UNKNOWN_OPENBSD_RUSTFLAGS="--sysroot=$root/sysroot ${OPENBSD_RUSTFLAGS-}"
	export CC_x86_64_unknown_openbsd="$cc" AR_x86_64_unknown_openbsd="$ar"
	exec "$debian/cargo" "$@"
}

ready() {
	if [ ! -x "$cc" ] || [ ! -f "$root/stamp" ]; then
		echo "$0: not set up in $root: run $0 setup" >&2
		exit 1
	fi
}

[ $# -gt 0 ] || usage
verb=$1
shift
case $verb in
setup)
	install_compilers
	write_wrappers
	build_std
	;;
cargo)
	ready
	run_cargo "$@"
	;;
cc)
	ready
	exec "$cc" "$@"
	;;
*)
	usage
	;;
esac
