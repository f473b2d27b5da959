"""Run the network: python src/init.py, in the model's folder, after nrnivmodl mod."""

from netpyne import sim

cfg, netParams = sim.readCmdLineArgs("src/cfg.py", "src/netParams.py")
sim.createSimulateAnalyze(netParams, cfg)
