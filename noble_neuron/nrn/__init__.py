"""NEURON's side of the house: compiled mechanisms, and the one door to hoc's globals."""
