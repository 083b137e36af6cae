# SPDX-License-Identifier: BSL-1.0
# How the board's image with lwIP is built. Sourced by the scripts that do so, in the top folder.
source examples/firmware/toolchain.sh
source examples/firmware/lwip.sh
wire=$PWD/build/board

# build_board SECRET: $wire/healthz.elf
build_board() {
    local each object
    local includes=(-I examples/firmware/http -I "$wire" -isystem "$lwip/src/include")
    mkdir -p "$wire"
    # Only the digest of the secret is in the image, and the secret is on no command line.
    printf %s "$1" | sha256sum | cut -d ' ' -f 1 | sed 's/../0x&, /g' >"$wire/secret_digest.inc"
    for each in core/{init,def,inet_chksum,ip,mem,memp,netif,pbuf,stats,tcp,tcp_in,tcp_out,timeouts} core/ipv4/{etharp,icmp,ip4,ip4_addr} netif/ethernet; do
        object=$wire/${each##*/}.o
        if [ "$object" -nt "$lwip/src/$each.c" ] && [ "$object" -nt examples/firmware/http/lwipopts.h ]; then continue; fi
        "$arm-gcc" -mcpu="$cpu" -mthumb -Os -ffunction-sections -fdata-sections -w "${includes[@]}" -c "$lwip/src/$each.c" -o "$object"
    done
    compile examples/firmware/startup.cpp "$wire/startup.o" "${bare[@]}"
    for each in lan9118 board; do compile "examples/firmware/http/$each.cpp" "$wire/$each.o" "${bare[@]}" "${includes[@]}"; done
    link "$wire/healthz.elf" "$wire"/*.o
}

# run_board PORT [OPTION...] : serves at 127.0.0.1:PORT until it is ended, or the board is reset
run_board() {
    exec qemu-system-arm -M mps2-an386 -display none -monitor none -no-reboot -semihosting-config enable=on,target=native \
        -nic "user,id=wire,model=lan9118,restrict=on,hostfwd=tcp:127.0.0.1:$1-:80" -kernel "$wire/healthz.elf" "${@:2}"
}
