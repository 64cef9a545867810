#!/usr/bin/env bash
# on_bare_debian.sh TRIAL ARGUMENT…: as root in a namespace of its own, makes a bare Debian 12 in TRIAL/debian and runs
# TRIAL/files/inside.sh there. It lies in memory and is gone at the end.
set -euo pipefail
root=$1/debian files=$1/files
shift
mount -t tmpfs -o mode=755 tmpfs "$root"
mmdebstrap --quiet --mode=root --variant=minbase --dpkgopt=force-unsafe-io bookworm "$root"
cp /etc/resolv.conf "$root/etc/"
cp -r "$files" "$root/trial"
mount -t proc proc "$root/proc"
chroot "$root" bash -c 'cd /trial && exec bash inside.sh "$@"' inside.sh "$@"
