# The container engine of ./test deploy: the one that answers, or one of its own in a temporary folder and a network namespace of its own, so that this
# machine's firewall, addresses and ports stay as they are. Sourced after tools/setup.sh.
#   engine_start FOLDER   sets DOCKER_HOST and engine_in (a command that runs another one where published ports are), or engine_missing (why there is none)
#   engine_stop           ends what engine_start began

engine_missing=''
engine_in=()
engine_pid=''
engine_space=''

engine_answers() { command -v docker >/dev/null 2>&1 && timeout 20 docker version >/dev/null 2>&1; }

engine_start() {
    if engine_answers; then
        say "using the container engine that runs already"
    elif [ "$(id -u)" -ne 0 ]; then
        engine_missing="none answers, and only root can start one"
    elif ! command -v apt-get >/dev/null 2>&1; then
        engine_missing="none answers, and there is no apt-get to install one with"
    elif ! (need_packages docker.io iptables iproute2 util-linux); then
        engine_missing="none answers, and docker.io cannot be installed"
    # On a machine with systemd the package has started one.
    elif ! engine_answers; then
        engine_launch "$1" || engine_launch "$1" --storage-driver=vfs || true
    fi
    [ -z "$engine_missing" ] || return 0
    docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null 2>&1 || (need_packages docker-compose) ||
        engine_missing="neither docker compose nor docker-compose is there"
}

# An engine without the default bridge: compose makes the networks that it needs.
engine_launch() {
    local folder=$1 waited
    shift
    mkdir -p "$folder"
    engine_missing=''
    engine_space=ctd$$
    ip netns add "$engine_space" 2>/dev/null && ip -n "$engine_space" link set lo up || {
        engine_missing="the kernel gives no network namespace"
        engine_space=''
        return 1
    }
    engine_in=(nsenter "--net=/run/netns/$engine_space")
    # nsenter, not `ip netns exec`, which would hide the control groups.
    "${engine_in[@]}" dockerd --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" --host "unix://$folder/socket" --bridge none "$@" \
        >"$folder/log" 2>&1 9<&- &
    engine_pid=$!
    export DOCKER_HOST="unix://$folder/socket"
    for waited in $(seq 120); do
        docker version >/dev/null 2>&1 && {
            say "started a container engine in $folder"
            return 0
        }
        kill -0 "$engine_pid" 2>/dev/null || break
        sleep 0.25
    done
    engine_missing="dockerd does not start: $(grep -vE 'level=(info|debug)' "$folder/log" | tail -n 1 | cut -c 1-300)"
    engine_stop
    return 1
}

engine_stop() {
    [ -n "$engine_pid" ] || return 0
    kill "$engine_pid" 2>/dev/null || true
    wait "$engine_pid" 2>/dev/null || true
    [ -z "$engine_space" ] || ip netns del "$engine_space" 2>/dev/null || true
    engine_pid=''
    engine_space=''
    engine_in=()
    unset DOCKER_HOST
}
