"""How do I put a surrogate into a NEURON simulation? With a synapse, a clamp, and a NetCon.

    python examples/howto/noble_cell.py
"""

from neuron import h

from noble_neuron import NobleCell

cell = NobleCell("pvalb", latent="pvalb/2", gid=0)

synapse = h.Exp2Syn(cell.soma(0.5))
synapse.tau1, synapse.tau2, synapse.e = 0.3, 2.0, 0.0
source = h.NetStim()
source.interval, source.number, source.noise, source.start = 2.0, 1e9, 1, 0
source.noiseFromRandom123(1, 2, 3)
drive = h.NetCon(source, synapse)
drive.weight[0], drive.delay = 3e-3, 1.0  # uS, ms

clamp = h.IClamp(cell.soma(0.5))
clamp.delay, clamp.dur, clamp.amp = 200, 100, 0.3

times = h.Vector()
spikes = h.NetCon(cell.soma(0.5)._ref_v, None, sec=cell.soma)
spikes.threshold = cell.threshold  # NEURON's default of 10 mV would see none
spikes.record(times)

h.load_file("stdrun.hoc")
h.celsius = cell.stepper.celsius
h.finitialize(-70)
h.continuerun(500)

print(f"{len(times)} spikes in 500 ms, {sum(200 <= t < 300 for t in times)} of them in the step")
print("beyond what it was trained on:", cell.outside or "nothing")
