# The sandbox's guardian: owns the directory $1, and ends with it everything that was started in it.
#
# Its standard input is a pipe that only the sandbox's own process holds open. Whatever ends that process (a normal
# end, a panic, Ctrl-C, kill -9), the kernel closes the pipe, and the guardian clears up.
trap '' INT TERM HUP
mkdir -m 711 "$1" || exit 1
echo ready
exec >/dev/null 2>&1
while read -r _; do :; done

# A process that starts just now first renames its pid file into this directory (see started.sh). After this mv it
# can't any more, and gives up: so the files found below are all there will ever be.
ending="$1.ending"
mv "$1" "$ending" || exit 1

is_running() {
    kill -0 "$1" || return 1
    # A process that ended and was not waited for is not running.
    case $(cat "/proc/$1/stat") in *") Z "*) return 1 ;; esac
    return 0
}

for file in "$ending"/*/pid; do
    [ -f "$file" ] || continue
    read -r pid signal <"$file"
    kill -s "$signal" "$pid"
done
tenths=0
for file in "$ending"/*/pid; do
    [ -f "$file" ] || continue
    read -r pid signal <"$file"
    # PostgreSQL gives its own children 5 s to end.
    while is_running "$pid"; do
        if [ "$tenths" -ge 80 ]; then kill -s KILL "$pid"; break; fi
        sleep 0.1
        tenths=$((tenths + 1))
    done
done
# A process that was killed this instant may still write a file while the folder goes.
for _ in 1 2 3 4 5 6 7 8 9 10; do
    rm -rf "$ending" && exit 0
    sleep 0.2
done
exit 1
