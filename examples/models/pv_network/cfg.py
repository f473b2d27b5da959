"""How the network is run."""

from netpyne import specs

cfg = specs.SimConfig()
cfg.duration = 1000  # ms
cfg.dt = 0.025
cfg.hParams = {"celsius": 34, "v_init": -74}
cfg.recordTraces = {"V": {"sec": "soma_0", "loc": 0.5, "var": "v"}}
cfg.recordCells = [("PV", [0, 1])]
cfg.analysis["plotRaster"] = {"saveFig": "raster.png", "showFig": False}
