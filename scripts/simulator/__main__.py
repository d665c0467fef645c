"""Serve both vendors and WeChat until stopped; prints the environment that has the API ask them.

python -m scripts.simulator --port 8100
"""

import argparse
import sys
import threading

from scripts.simulator import laptops


def main() -> int:
    """Serve until stopped."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--port", type=int, default=0, help="of 127.0.0.1; any that is free")
    with laptops.serve(parser.parse_args().port) as simulator:
        url = simulator.url
        told = laptops.settings_for(url) | laptops.wechat_settings_for(url)
        for name, value in told.items():
            print(f"export {name}='{value}'", flush=True)
        threading.Event().wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
