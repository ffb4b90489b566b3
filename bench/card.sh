#!/usr/bin/env bash
# Measures a CUDA card on a machine that has no Rust: its driver, CUDA's nvrtc, Python with PyTorch and safetensors, and
# perhaps a Vulkan loader. At most 12 minutes; results are written as they come.
#
#   card.sh TRAINER MODEL.safetensors TEST.zip OUT [TRAIN64.zip]
#
# TRAINER is the stripped release program. TESTS may name the program of shared's tests, built with the features cuda and
# wgpu; PEERS=0 leaves PyTorch out. With TRAIN64.zip the last step trains on it for TRAIN_MINUTES (4), with the configuration CONFIG.
set -u
here=$(cd "$(dirname "$0")" && pwd)
trainer=$(realpath "$1") model=$(realpath "$2") test_zip=$(realpath "$3")
mkdir -p "$4"
out=$(realpath "$4")
train_zip=${5:+$(realpath "$5")}
minutes=${TRAIN_MINUTES:-4}
work=$(mktemp -d)
cd "$work" || exit 1

say() { printf '\n== %s (%s s)\n' "$1" "$SECONDS" | tee -a "$out/log.txt"; }
# limit NAME SECONDS COMMAND...: a step that fails or takes too long does not stop the others.
limit() {
  local name=$1 seconds=$2
  shift 2
  say "$name"
  timeout "$seconds" "$@" 2>&1 | tail -n 60 | tee -a "$out/log.txt"
  local status=${PIPESTATUS[0]}
  [ "$status" -eq 0 ] || echo "$name: exit status $status" | tee -a "$out/log.txt"
}
# The most memory that a command had on the card, in MiB: `peak NAME SECONDS COMMAND...`.
peak() {
  nvidia-smi --query-gpu=memory.used --format=csv,noheader,nounits --id=0 -lms 200 >memory.txt &
  local watcher=$!
  limit "$@"
  kill "$watcher"
  echo "$1: at most $(sort -n memory.txt | tail -n 1) MiB of the card, $(head -n 1 memory.txt) before" | tee -a "$out/log.txt"
}

if [ -z "${CUDA_PATH:-}" ] && command -v nvcc >/dev/null; then
  CUDA_PATH=$(dirname "$(dirname "$(realpath "$(command -v nvcc)")")")
fi
export CUDA_PATH=${CUDA_PATH:-/usr/local/cuda}
export LD_LIBRARY_PATH=$CUDA_PATH/lib64:${LD_LIBRARY_PATH:-}
say "card"
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader | tee "$out/card.txt"

devices="cpu cuda"
ldconfig -p | grep -q libvulkan && devices="$devices wgpu"
if [ -n "${TESTS:-}" ]; then
  limit "the kernels' tests" 120 "$TESTS" --ignored cuda --test-threads 1
fi
for device in $devices; do
  limit "likelihood of 64 test images, $device" 60 "$trainer" eval "$model" --data "$test_zip" --test-data "$test_zip" --test-limit 64 --device "$device"
  limit "five steps, $device" 60 "$trainer" train --preset tiny --data msds1 --limit 64 --test-images 0 --steps 5 --batch 8 --checkpoint-every 1 --device "$device" --out "five-$device"
  tail -n 2 "five-$device/metrics.jsonl" | tee -a "$out/log.txt"
done

for preset in ${PRESETS:-demo official_celeba32}; do
  peak "ours, $preset, training" 60 "$trainer" bench "$preset" --only train --batch 16 --batch 64 --batch 256 --device cuda --seconds 3 --out "$out/ours.json"
  [ "${PEERS:-1}" = 1 ] && peak "PyTorch, $preset, training" 60 python3 "$here/peers/torch_bench.py" "$preset" --device cuda --groups train --seconds 4 --out "$out/torch-$preset.json"
done
for device in cuda wgpu; do
  case " $devices " in *" $device "*)
    limit "pictures by $device" 60 "$trainer" bench demo --only sample --batch 1 --batch 16 --batch 64 --seconds 2 --device "$device" --out "$out/pictures-$device.json" ;;
  esac
done
if [ "${PEERS:-1}" = 1 ]; then
  limit "PyTorch compiled, demo" 100 python3 "$here/peers/torch_bench.py" demo --device cuda --groups train --compile --seconds 3 --out "$out/torch-compiled.json"
fi
if [ -n "$train_zip" ]; then
  limit "training for $minutes minutes" $((60 * minutes + 90)) "$trainer" train --config "${CONFIG:?the configuration to train}" --data "$train_zip" --device cuda --max-minutes "$minutes" --out run ${TRAIN_OPTIONS:-}
  cp run/curve.png run/metrics.jsonl "$out/"
  cp "$(ls run/samples/*.png | tail -n 1)" "$out/samples.png"
  limit "export" 60 "$trainer" export run --name trained --out "$out/trained.safetensors"
  # Parts, where a file may not be large: `cat checkpoint.*` joins them.
  split -b 12m "$(ls run/checkpoints/*.ckpt | tail -n 1)" "$out/checkpoint."
fi
say "done"
