# shellcheck shell=bash disable=SC2034
# Shared by the scripts: where things are, how they speak, how packages get in.
# Sourced by bash; sets $root to the top of the work tree.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Read-only data that may be fetched again: root trees of other Debian releases.
cache=${TIDEMARK_CACHE:-/var/cache/tidemark}

say() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
}

die() {
	say "$*"
	exit 1
}

# as_root COMMAND… - runs it as root, through sudo where that is needed
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null; then
		sudo "$@"
	else
		say "not root and no sudo: cannot run: $*"
		return 1
	fi
}

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# need_packages PACKAGE… - installs those of the Debian packages that are missing
#
# Says what it installs.  Fails with one line where it cannot.
need_packages() {
	local package missing=()
	if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
		say "this is no Debian: make sure that what these packages bring is there: $*"
		return 0
	fi
	for package; do
		installed "$package" || missing+=("$package")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "installing ${missing[*]}"
	local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300
		-o Acquire::Retries=3)
	local log
	log=$(mktemp)
	# the lists of a fresh machine or container are empty or old
	if ! {
		as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}" ||
			{ as_root "${apt[@]}" update &&
				as_root "${apt[@]}" install -y --no-install-recommends "${missing[@]}"; }
	} >"$log" 2>&1; then
		tail -n 5 "$log" >&2
		rm -f "$log"
		say "could not install ${missing[*]}: is the network there?"
		return 1
	fi
	rm -f "$log"
}

# What building takes, and what running the tests takes on top.
build_packages=(gcc libc6-dev make python3 libjansson-dev libsmartcols-dev uthash-dev)
test_packages=(libcmocka-dev libasan8 libubsan1 procps git python3-greenlet)
