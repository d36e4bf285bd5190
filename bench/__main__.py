"""Which numbers does this checkout have on this machine? Prints one table for each subject; judges nothing."""

import argparse

from bench import bucketing, calls, decisions, ofrep, pages, sdk_parts, snapshots
from bench.measure import print_table

SUBJECTS = {
    "decisions": decisions.rows,
    "calls": calls.rows,
    "bucketing": bucketing.rows,
    "snapshots": snapshots.rows,
    "sdk_parts": sdk_parts.rows,
    "ofrep": ofrep.rows,
    "pages": pages.rows,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("subjects", nargs="*", metavar="|".join(SUBJECTS), help="default: all")
    wanted = parser.parse_args().subjects or list(SUBJECTS)
    unknown = set(wanted) - set(SUBJECTS)
    if unknown:
        parser.error(f"no such subject: {', '.join(sorted(unknown))}")
    for subject in wanted:
        print_table(subject, SUBJECTS[subject]())


if __name__ == "__main__":
    main()
