/**
 * The check of a target on a real device, as the text of a bash script for a guest of the lab. For each step it prints one
 * line with fields between tabs: `step NAME` when it begins, and `done NAME STATUS DETAIL` when it has ended.
 *
 * The first step that fails ends the check, except that the device is always deleted.
 */
import { joinWords, quoteWord } from '../../text/shell-words.ts';

export interface DeviceCheck {
  /** The target's file in the guest. */
  readonly target: string;
  readonly files: readonly string[];
  readonly targetOptions: Readonly<Record<string, string>>;
  /** Nothing is written to the device. */
  readonly readOnly: boolean;
  /** A ring target has no handlers that could be called without a device. */
  readonly isRing: boolean;
  /** Folders that must be there. */
  readonly folders: readonly string[];
  /** Files of nothing but a hole, with their bytes. */
  readonly empty: Readonly<Record<string, number>>;
}

export function deviceScript(check: DeviceCheck): string {
  const { target, files, targetOptions, readOnly, isRing, folders, empty } = check;
  const options = Object.entries(targetOptions).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  const made = Object.entries(empty).map(([file, bytes]) => `truncate -s ${bytes} ${quoteWord(file)}`);
  return `#!/bin/bash
READ_ONLY=${readOnly ? 1 : 0}
IS_RING=${isRing ? 1 : 0}
mkdir -p /check ${joinWords(folders)}
${made.join('\n')}
check_handlers() { ublkts target check ${joinWords([target, ...files, ...options, ...(readOnly ? ['--read_only'] : [])])}; }
add_device() { timeout 60 ublkts ${joinWords(['add', '-n', '0', '-t', target, '-q', '2', '-d', '64', '-r', '1', ...options, ...files])}; }
${STEPS}`;
}

const STEPS = String.raw`
DEVICE=/dev/ublkb0
LOG=/run/ublkts/0.log
failed=0

one_line() { tr -s '\n\t' '  ' | cut -c -400; }

# step NAME FUNCTION: what the function prints on its last line is the detail. It ends with 0 (ok), 2 (warn), 3 (there is nothing to do) or anything else.
step() {
  local name=$1 status
  printf 'step\t%s\n' "$name"
  "$2" > /tmp/said 2>&1
  case $? in
    0) status=ok ;;
    2) status=warn ;;
    3) return 0 ;;
    *) status=fail ;;
  esac
  if [[ $status == fail ]]; then detail=$(tail -n 6 /tmp/said | one_line); else detail=$(tail -n 1 /tmp/said | one_line); fi
  printf 'done\t%s\t%s\t%s\n' "$name" "$status" "$detail"
  [[ $status != fail ]] || { failed=1; return 1; }
}

# field FILTER: a value of the device's entry in list --json.
field() { ublkts list -n 0 --json 2> /dev/null | node -e 'const d = JSON.parse(require("fs").readFileSync(0, "utf8")).devices[0]; console.log(eval(process.argv[1]) ?? "")' "$1"; }

# Errors of handlers are errors of the target here: nothing that the check asks for is wrong.
no_errors() {
  local errors=$(field d.io.errors)
  [[ $errors == 0 ]] && return
  echo "$errors requests failed; the log says: $(grep -m 1 'its like is counted' "$LOG")"
  return 1
}

verify() {
  timeout 150 fio --name=check --filename="$DEVICE" --direct=1 --ioengine=libaio --size="$AREA" --randrepeat=1 \
    --minimal "$@" > /tmp/fio 2>&1 && no_errors && return
  # What the target's server says is the cause, and comes first; fio repeats the effect for each request.
  grep 'its like is counted\|has not settled' "$LOG" | head -2 | cut -d ' ' -f 2-
  grep -v '^3;fio' /tmp/fio | head -1
  return 1
}

handlers() {
  ((IS_RING)) && return 3
  check_handlers > /tmp/handlers 2>&1 && { echo 'they do what they must without a kernel'; return; }
  grep -A 1 '^fail' /tmp/handlers || cat /tmp/handlers
  return 1
}

make() {
  add_device > /tmp/added || return
  udevadm settle --timeout=10
  SIZE=$(blockdev --getsize64 "$DEVICE") || return
  BLOCK=$(blockdev --getss "$DEVICE")
  [[ $(blockdev --getro "$DEVICE") == 0 ]] || READ_ONLY=1
  AREA=$((SIZE < 16777216 ? SIZE / 1048576 * 1048576 : 16777216))
  ((AREA > 0)) || AREA=$((SIZE / BLOCK * BLOCK))
  LARGEST=$((AREA < 1048576 ? BLOCK : 1048576))
  echo "$SIZE bytes in blocks of $BLOCK, on Linux $(uname -r)$([[ $READ_ONLY == 0 ]] || echo ', read-only')"
}

reads() {
  verify --rw=randread --bsrange="$BLOCK-$LARGEST" --iodepth=32 --time_based --runtime=3 || return
  echo "fio reads $AREA bytes, $BLOCK to $LARGEST bytes at a time, 32 at once"
}

data() {
  ((READ_ONLY)) && return 3
  local depth
  for depth in 1 32; do
    verify --rw=randwrite --bsrange="$BLOCK-$LARGEST" --iodepth=$depth --verify=crc32c --verify_fatal=1 --do_verify=1 || return
  done
  verify --rw=write --bs="$LARGEST" --iodepth=8 --verify=crc32c --verify_fatal=1 --do_verify=1 --fsync=8 || return
  echo "fio finds its checksums in $AREA bytes, $BLOCK to $LARGEST bytes at a time, 1 and 32 at once"
}

discards() {
  ((READ_ONLY)) && return 3
  local most=$(cat /sys/block/ublkb0/queue/discard_max_bytes) zeroes=$(cat /sys/block/ublkb0/queue/write_zeroes_max_bytes)
  ((most + zeroes > 0)) || return 3
  if ((most > 0)); then blkdiscard --offset 0 --length "$AREA" "$DEVICE" || return; fi
  blkdiscard --zeroout --offset 0 --length "$AREA" "$DEVICE" || return
  cmp -n "$AREA" "$DEVICE" /dev/zero || { echo 'a range of written zeroes reads as something else'; return 1; }
  no_errors || return
  echo "$( ((most > 0)) && echo 'discards, and ')written zeroes read as zeroes"
}

file_system() {
  ((READ_ONLY || SIZE < 33554432)) && return 3
  mkdir -p /mnt/check
  mkfs.ext4 -q -F "$DEVICE" && mount "$DEVICE" /mnt/check && cp -r /ublkts/docs /mnt/check/ && sync -f /mnt/check && umount /mnt/check || return
  blockdev --flushbufs "$DEVICE"
  mount "$DEVICE" /mnt/check && diff -r /ublkts/docs /mnt/check/docs && umount /mnt/check && e2fsck -fn "$DEVICE" > /tmp/fsck 2>&1 || { cat /tmp/fsck; return 1; }
  no_errors || return
  echo 'ext4 is made, mounted, filled, mounted again and found good by e2fsck'
}

kill_and_recover() {
  local kept pid=$(field d.ublksrv_pid)
  if ((!READ_ONLY)); then
    head -c 1048576 /dev/urandom > /tmp/pattern
    dd if=/tmp/pattern of="$DEVICE" bs=64k oflag=direct conv=fsync status=none || return
  fi
  dd if="$DEVICE" of=/tmp/before bs=64k count=16 iflag=direct status=none
  fio --name=load --filename="$DEVICE" --direct=1 --ioengine=libaio --iodepth=16 --rw=randread --bs=4k --size="$AREA" --time_based --runtime=30 > /dev/null 2>&1 &
  local load=$!
  sleep 1
  kill -9 "$pid"
  timeout 60 ublkts recover -n 0 > /tmp/recovered || { kill $load; return 1; }
  kill $load 2> /dev/null
  wait $load
  [[ $(field d.state) == LIVE ]] || { echo "after recover the device is $(field d.state)"; return 1; }
  dd if="$DEVICE" of=/tmp/after bs=64k count=16 iflag=direct status=none || { echo 'the recovered device does not answer'; return 1; }
  cmp -s /tmp/before /tmp/after && kept=1
  if ((!READ_ONLY)); then verify --rw=randwrite --bs=4k --iodepth=16 --io_size=4m --verify=crc32c --verify_fatal=1 --do_verify=1 || return; fi
  ((kept)) || { echo 'a killed server is replaced, and its data is gone with it: the target keeps it in memory'; return 2; }
  echo 'a killed server is replaced, and what was written is still there'
}

remove() {
  timeout 60 ublkts del -n 0 || return
  [[ ! -e $DEVICE ]] || { echo "$DEVICE is still there"; return 1; }
  dmesg | grep -E 'WARNING:|BUG:|Oops' && { echo 'the kernel complains'; return 1; }
  echo 'the device is gone'
}

step 'handlers' handlers && step 'device' make && {
  step 'reads' reads && step 'data' data && step 'discards' discards && step 'file system' file_system && step 'kill and recover' kill_and_recover
  step 'del' remove
}
exit $failed
`;
