"""What an electrophysiologist reads off a trace: spikes, shapes, F-I curves, latents."""
