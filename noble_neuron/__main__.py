"""`python -m noble_neuron` is `noble-neuron`."""

import sys

from .cli import main

sys.exit(main())
