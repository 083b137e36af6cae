# SPDX-License-Identifier: BSL-1.0
# What the scripts share that install, build and serve.

install_missing() { # PACKAGE... : Debian packages, as root or with sudo
    local package missing=() as_root=()
    for package; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    echo "installing: ${missing[*]}"
    [ "$(id -u)" -eq 0 ] || as_root=(sudo)
    "${as_root[@]}" apt-get update -qq
    # libboost1.81-dev takes the place of Debian's default, libboost1.74-dev: they conflict.
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
}

# serve_demo TARGET PROGRAM [PACKAGE...] : a program with the demo's sources, until it is interrupted
serve_demo() {
    local target=$1 build=build/demo shown='$HEALTHZ_ADMIN_SECRET'
    local program=$build/examples/$2
    shift 2
    install_missing g++ cmake curl ninja-build pkg-config libboost1.81-dev libpq-dev libsqlite3-dev sqlite3 "$@"

    echo "building"
    mkdir -p $build
    {
        cmake -S . -B $build -G Ninja -DHEALTHZ_BUILD_TESTS=OFF -DCMAKE_CXX_FLAGS=-O1
        cmake --build $build --target "$target"
    } >$build/log.txt 2>&1 || { cat $build/log.txt >&2; exit 1; }

    export INVENTORY_DB=$PWD/$build/inventory.db
    sqlite3 "$INVENTORY_DB" 'CREATE TABLE IF NOT EXISTS item (name TEXT, amount INTEGER); INSERT INTO item VALUES (datetime(), 1);'

    export PORT=${PORT:-8080}
    if [ -z "${HEALTHZ_ADMIN_SECRET:-}" ]; then
        HEALTHZ_ADMIN_SECRET=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
        export HEALTHZ_ADMIN_SECRET
        shown=$HEALTHZ_ADMIN_SECRET
    fi
    echo "try:  curl -H 'X-Hasura-Role: admin' -H \"X-Hasura-Admin-Secret: $shown\" http://127.0.0.1:$PORT/healthz/sources"
    echo "and:  http://127.0.0.1:$PORT/healthz/page in a browser, with any user and the secret as password"
    exec "$program"
}
