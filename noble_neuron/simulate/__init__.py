"""Simulations of the full cells: one run, a cell's character, whole training sets."""
