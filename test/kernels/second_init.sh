#!/bin/bash
# What a booted machine has that no init system and no udev brings here; then the command, whose exit
# code goes to the second serial port, and the end. /run/machine says: project, out, command.
# shellcheck shell=bash disable=SC1091,SC2154
. /run/machine
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
mkdir -p /dev/pts /dev/shm
mount -t devpts pts /dev/pts
mount -t tmpfs shm /dev/shm
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs tracefs /sys/kernel/tracing
[ -e /dev/fd ] || ln -s /proc/self/fd /dev/fd
echo guideway-vm > /proc/sys/kernel/hostname
ulimit -Hn 524288
busybox ip link set lo up
modprobe -qa tun # makes /dev/net/tun

for device in /sys/bus/pci/devices/*; do # NICs are of PCI class 02
    [[ $(< "$device/class") != 0x02* ]] || modprobe -qab "$(< "$device/modalias")"
done
cat /sys/bus/virtio/devices/*/modalias | xargs modprobe -qab
for device in /sys/class/net/*; do # the last digit of the MAC address is the number of the NIC
    [[ $(< "$device/address") != 52:54:00:00:00:0? ]] ||
        busybox nameif "nic$(cut -c 17 "$device/address")" "$(< "$device/address")"
done

cd "$out" || exit
setsid bash -c "$command" < /dev/null
echo $? > /dev/ttyS1
echo 0 > /proc/sys/kernel/printk
stty -F /dev/ttyS0 -echo # waits for what is on its way to the console
busybox sync
busybox poweroff -f
