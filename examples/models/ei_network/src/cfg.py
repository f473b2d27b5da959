"""How the network is run."""

from netpyne import specs

cfg = specs.SimConfig()
cfg.duration = 1000  # ms
cfg.dt = 0.025
cfg.hParams = {"celsius": 34, "v_init": -74}
cfg.seeds = {"conn": 3, "stim": 4, "loc": 5, "cell": 1}
cfg.analysis["plotRaster"] = {"saveFig": "raster.png", "showFig": False}

cfg.gapWeight = 1.5e-4  # uS
cfg.excitation = 1.0  # of the background, relative
