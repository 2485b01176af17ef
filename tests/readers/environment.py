"""Makes an environment of pinned Python packages, once, and prints the path of its Python.

    python3 tests/readers/environment.py [REQUIREMENTS]

It lies in $XDG_CACHE_HOME/audit-readers (default ~/.cache), under a name that tells the Python and a
hash of the file, so another pin makes another environment. Where it can't be made, the exit code is
1, and the last line on stderr says why.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path


def place(requirements):
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    python = f"{platform.python_implementation()} {platform.python_version()} {platform.machine()}"
    told = hashlib.sha256(python.encode() + b"\n" + requirements.read_bytes()).hexdigest()
    return cache / "audit-readers" / told[:16]


def run(*command):
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if ended.returncode:
        lines = (ended.stderr or ended.stdout).strip().splitlines()
        raise RuntimeError(lines[-1] if lines else f"{command[0]} ended with {ended.returncode}")


def make(folder, requirements):
    """Makes the environment; what another run left unfinished goes first."""
    shutil.rmtree(folder, ignore_errors=True)
    run(sys.executable, "-m", "venv", str(folder))
    # Wheels alone: nothing is compiled, and no package runs code while it is installed.
    pip = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--no-input"]
    run(*pip, "install", "--quiet", "--no-deps", "--only-binary=:all:", "-r", str(requirements))
    run(*pip, "check")


def main(name="requirements.txt"):
    requirements = Path(__file__).with_name(name)
    folder = place(requirements)
    whole = folder / "whole"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # Two runs at once make it once.
        with open(f"{folder}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                print(f"installing {name} into {folder}", file=sys.stderr)
                make(folder, requirements)
                whole.touch()
    except (OSError, RuntimeError) as error:
        sys.exit(str(error).replace("\n", " "))
    print(folder / "bin" / "python")


if __name__ == "__main__":
    main(*sys.argv[1:])
