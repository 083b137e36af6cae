# SPDX-License-Identifier: BSL-1.0
# How programs for a bare Cortex-M are built, linked and run. Sourced by the scripts that do so, in the top folder.
source examples/common.sh

arm=arm-none-eabi
choose_board() { # m0 | m4 | m33 : a machine of QEMU, its processor, and where its memory is
    local at
    case $1 in
    m0) cpu=cortex-m0 machine=microbit code_origin=0 code_length=256K data_origin=0x20000000 data_length=16K ;;
    m4) cpu=cortex-m4 machine=mps2-an386 code_origin=0 code_length=4M data_origin=0x20000000 data_length=4M ;;
    # It starts in the secure state, and stays there: these are the secure aliases.
    m33) cpu=cortex-m33 machine=mps2-an505 code_origin=0x10000000 code_length=4M data_origin=0x38000000 data_length=2M ;;
    *) echo "there is no board '$1': m0, m4 or m33" >&2; return 2 ;;
    esac
    board=$1 memory=()
    for at in code_origin code_length data_origin data_length; do memory+=("-Wl,--defsym=$at=${!at}"); done
}
choose_board m4
flags=(-std=c++20 -Os -g0 -ffunction-sections -fdata-sections -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror)
bare=(-fno-exceptions -fno-rtti -fno-threadsafe-statics -fno-unwind-tables -fno-asynchronous-unwind-tables)
firmware=$PWD/build/firmware
launcher=() # of the compiler: ccache

# A folder with Boost's headers only: all of /usr/include would bring this machine's C library.
mkdir -p "$firmware/include"
ln -sfn "${BOOST_INCLUDEDIR:-/usr/include}/boost" "$firmware/include/boost"

compile() { # SOURCE OBJECT [FLAG...]
    "${launcher[@]}" "$arm-g++" -mcpu="$cpu" -mthumb "${flags[@]}" -I include -isystem "$firmware/include" "${@:3}" -c "$1" -o "$2"
}
link() { # IMAGE OBJECT... [FLAG...] : without a C run-time
    "$arm-g++" -mcpu="$cpu" -mthumb -nostartfiles --specs=nano.specs -Wl,--gc-sections "${memory[@]}" -T examples/firmware/mps2.ld "${@:2}" -o "$1"
}
run_image() { # IMAGE : its output, its exit status
    timeout 120 qemu-system-arm -M "$machine" -nographic -monitor none -serial none \
        -semihosting-config enable=on,target=native -kernel "$1" </dev/null
}
