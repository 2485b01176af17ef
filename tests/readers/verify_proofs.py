"""Runs examples/verify_proof.py for each list of arguments in stdin, a JSON array, in one process.
Prints an array of [exit code, stdout, stderr]."""

import contextlib
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "examples"))
import verify_proof


def outcome(arguments):
    sys.argv = ["verify_proof.py", *arguments]
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        try:
            code = verify_proof.main()
        except SystemExit as end:
            code = end.code
        # What it does not expect must not look like a refusal.
        except Exception as error:
            code = f"{type(error).__name__}: {error}"
    return [code, stdout.getvalue(), stderr.getvalue()]


json.dump([outcome(arguments) for arguments in json.load(sys.stdin)], sys.stdout)
