"""Count the data set and compare it with the published figures."""

import argparse

from scripts.complete_journey import open_dataset, verify


def main() -> None:
    """Print the figures; raises where they are others."""
    parser = argparse.ArgumentParser(
        description="Count the Complete Journey data and check it to the fen."
    )
    parser.parse_args()
    print(verify(open_dataset()))


if __name__ == "__main__":
    main()
