"""What the NOBLE paper shows, each as one call on cells and a surrogate at hand.

`items` lists it; every other module but `bench`, `outcome`, `run` and what begins with an
underscore is one of them, with `SIZES` for each scale and a `run` that measures.

Reference: Ghafourpour et al. 2025 (NOBLE); sections, tables and figures are counted as there.
"""
