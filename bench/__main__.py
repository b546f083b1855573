"""`./run bench [NAME …]`: the benchmarks of this folder, one after the other."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("webhook", "sending", "million", "steps")


def main() -> int:
    """Run the named benchmarks, or all; the exit code says whether any missed its floor."""
    wanted = sys.argv[1:] or list(BENCHMARKS)
    unknown = [name for name in wanted if name not in BENCHMARKS]
    if unknown:
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
        return 2
    missed = [
        name
        for name in wanted
        if subprocess.run([sys.executable, "-m", f"bench.{name}"], check=False).returncode
    ]
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
