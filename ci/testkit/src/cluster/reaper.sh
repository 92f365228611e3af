# Starts etcd processes on command and outlives whoever commands: at the end of its input, however that came about,
# it kills what it started and removes the directory. Usage: sh -c "$(cat reaper.sh)" reaper DIR
dir=$1
started=
trap : HUP INT TERM QUIT

# A number is a process of ours only as long as that process is our child.
ours() {
    if [ -r /proc/self/stat ]; then
        IFS= read -r stat <"/proc/$1/stat" || return 1
        set -- ${stat##*") "}
        [ "$2" = "$$" ]
    else
        [ "$(ps -o ppid= -p "$1" | tr -d ' ')" = "$$" ]
    fi
}

while read -r member; do
    sh "$dir/$member/run" &
    started="$started $!"
    echo "$!"
done

trap '' HUP INT TERM QUIT
for pid in $started; do
    ours "$pid" && kill -9 "$pid"
done
wait
rm -rf "$dir"
