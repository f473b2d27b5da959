"""Puts the folder of `toy_network` where this process imports from."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
