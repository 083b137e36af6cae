# SPDX-License-Identifier: BSL-1.0
# How programs for a bare Cortex-M are built, linked and run. Sourced by the scripts that do so, in the top folder.
source examples/common.sh

arm=arm-none-eabi
cpu=cortex-m4
flags=(-std=c++20 -Os -g0 -ffunction-sections -fdata-sections -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
bare=(-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables -fno-asynchronous-unwind-tables)
firmware=$PWD/build/firmware

# A folder with Boost's headers only: all of /usr/include would bring this machine's C library.
mkdir -p "$firmware/include"
ln -sfn "${BOOST_INCLUDEDIR:-/usr/include}/boost" "$firmware/include/boost"

compile() { # SOURCE OBJECT [FLAG...]
    "$arm-g++" -mcpu="$cpu" -mthumb "${flags[@]}" -I include -isystem "$firmware/include" "${@:3}" -c "$1" -o "$2"
}
link() { # IMAGE OBJECT... [FLAG...] : without a C run-time
    "$arm-g++" -mcpu="$cpu" -mthumb -nostartfiles --specs=nano.specs -Wl,--gc-sections -T examples/firmware/mps2.ld "${@:2}" -o "$1"
}
run_image() { # IMAGE : its output, its exit status
    timeout 120 qemu-system-arm -M mps2-an386 -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$1" </dev/null
}
