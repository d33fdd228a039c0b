#!/busybox sh
# The first program of a machine, in its initrd: makes the root of the host's own files, read-only below
# a RAM layer, and goes on there with second_init.sh. /machine says: project, out, modules, release.
# shellcheck shell=dash disable=SC1091,SC2154
. /machine
b=/busybox
$b mkdir -p /proc /sys /dev /low /top /new
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
$b mount -t sysfs sys /sys
for module in /modules/*; do $b insmod "$module"; done

options=trans=virtio,version=9p2000.L,msize=512000
$b mount -t 9p -o $options,ro,cache=loose root /low
$b mount -t tmpfs top /top
# layer FOLDER: that folder of the host, writable in RAM.
layer() {
    layers=$((layers + 1))
    $b mkdir -p /top/$layers/upper /top/$layers/work "/new$1"
    $b mount -t overlay -o "lowerdir=/low$1,upperdir=/top/$layers/upper,workdir=/top/$layers/work" root "/new$1"
}
layer /
for folder in proc sys dev; do $b mount --move /$folder /new/$folder; done
for folder in tmp run; do $b mount -t tmpfs $folder /new/$folder; done
case $project in /tmp/* | /run/*) layer "$project" ;; esac
$b mkdir -p "/new$out" "/new/usr/lib/modules/$release"
$b mount -t 9p -o $options,cache=none out "/new$out" # what a dying machine wrote is there
$b mount --bind "/low$modules" "/new/usr/lib/modules/$release"
$b cp /machine /second_init.sh /new/run/
exec $b switch_root /new /bin/bash /run/second_init.sh
