#!/usr/bin/env bash
# SPDX-License-Identifier: BSL-1.0
# Usage: examples/firmware/run.sh [BOARD | --http]
#
# Installs what it needs, builds firmware.cpp as build/firmware/BOARD/healthz.elf, and runs it in QEMU. BOARD is m4 (a Cortex-M4) unless
# given, m0 (a Cortex-M0) or m33 (a Cortex-M33). The image's transcript, one JSON document a line, goes to standard output, all else to
# standard error. The exit status is the image's. With --http another one, http/board.cpp, which serves; see http/run.sh.
set -euo pipefail
if [ "${1:-}" = --http ]; then exec "$(dirname "$(realpath "$0")")/http/run.sh"; fi
cd "$(dirname "$(realpath "$0")")/../.."
source examples/firmware/toolchain.sh

choose_board "${1:-m4}"
install_missing gcc-arm-none-eabi libnewlib-arm-none-eabi libstdc++-arm-none-eabi-newlib qemu-system-arm libboost1.81-dev >&2
mkdir -p "$firmware/$board"
for source in startup firmware; do compile "examples/firmware/$source.cpp" "$firmware/$board/$source.o" "${bare[@]}"; done
link "$firmware/$board/healthz.elf" "$firmware/$board/"{startup,firmware}.o
"$arm-size" "$firmware/$board/healthz.elf" | awk 'NR == 2 { print $1 + $2, "bytes of flash,", $2 + $3, "of RAM" }' >&2
run_image "$firmware/$board/healthz.elf"
