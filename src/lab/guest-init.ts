/**
 * The guest's process 1, as the text of a bash script. It is handed over with each job and is not in the image, so
 * that changing it needs no new image. It talks to the host through virtio serial ports, which it finds by name:
 *
 * - control: lines. `ready` and `exit N` to the host; `size ROWS COLUMNS` from it, when there is a terminal;
 * - stdout, stderr, results: bytes, ended by the job's end marker (end-marker.ts);
 * - the terminal, when there is one, is /dev/hvc0.
 *
 * It never powers the machine off: the host ends QEMU when it has read everything.
 */
export const guestInit = `#!/bin/bash
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin HOME=/root LANG=C.UTF-8

mkdir -p /dev/pts /dev/shm
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs -o mode=755 tmpfs /run
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t debugfs debugfs /sys/kernel/debug
mount -t tracefs tracefs /sys/kernel/tracing
mount -t bpf bpf /sys/fs/bpf
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /run/lock
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr

/usr/lib/systemd/systemd-udevd --daemon --resolve-names=never
modprobe ublk_drv
# Only what was there before udev and matters here: a whole coldplug takes seconds.
udevadm trigger --action=add --subsystem-match=block --subsystem-match=misc
ip link set lo up
hostname lab
echo '127.0.0.1 localhost lab' > /etc/hosts
ulimit -n 1048576
ulimit -l unlimited
ulimit -c 0
if [[ -e /dev/vdb ]]; then
  mkdir -p /ublkts/node_modules
  mount -t ext4 -o ro,noatime /dev/vdb /ublkts/node_modules
fi
udevadm settle --timeout=20

declare -A port
for entry in /sys/class/virtio-ports/*; do
  [[ -s $entry/name ]] && port[$(< "$entry/name")]=/dev/$(basename "$entry")
done
exec {control}<> "\${port[control]}"

mapfile -d '' -t command < /lab/command
mapfile -d '' -t environment < /lab/environment
cd /ublkts
echo ready >&"$control"

if [[ -e /dev/hvc0 ]]; then
  while read -r word rows columns; do
    [[ $word == size ]] && stty -F /dev/hvc0 rows "$rows" cols "$columns"
  done <&"$control" &
  setsid --ctty --wait env "\${environment[@]}" "\${command[@]}" < /dev/hvc0 > /dev/hvc0 2>&1 {control}>&-
  status=$?
  cat /lab/end-marker > /dev/hvc0
else
  # A port can be open once only: a command that opens /dev/stderr again must find a pipe.
  exec {out}> >(exec cat > "\${port[stdout]}") {err}> >(exec cat > "\${port[stderr]}")
  env "\${environment[@]}" "\${command[@]}" < /dev/null >&"$out" 2>&"$err" {out}>&- {err}>&- {control}>&-
  status=$?
  cat /lab/end-marker >&"$out"
  cat /lab/end-marker >&"$err"
fi

if [[ -n \${port[results]} ]]; then
  { tar --create --directory=/results . && cat /lab/end-marker; } > "\${port[results]}"
fi
echo "exit $status" >&"$control"
exec sleep infinity
`;
