"""Stimulation as data: what is injected, when, and from which voltage."""
