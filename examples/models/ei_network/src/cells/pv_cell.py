"""The PV cell: one model of the package's own ensemble, as a class that NetPyNE can import."""

import noble_neuron


class PVCell:
    """The model of this number; its sections are NetPyNE's to read."""

    def __init__(self, model):
        self._live = noble_neuron.ensemble("pvalb").cells[model].build()
        self.all_sec = self._live.sections
