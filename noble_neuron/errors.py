"""Everything that can go wrong, said once: what came, where, and what would be right."""


class NobleError(Exception):
    """Any error this package raises on purpose; its text is what the user reads."""


class InputError(NobleError, ValueError):
    """An argument, a file's content or a setting is not usable."""


class MechanismError(NobleError, RuntimeError):
    """Mechanisms could not be compiled or loaded, or do not fit the running NEURON."""


class CellError(NobleError, RuntimeError):
    """A cell description could not be turned into sections."""


class SimulationError(NobleError, RuntimeError):
    """A simulation ran, but its answer must not be used (diverged, wrong globals)."""


class ModelError(SimulationError):
    """A model of the user's could not be loaded, built or run, for a reason of its own."""


class StoreError(NobleError, OSError):
    """A data file is missing, damaged, foreign, or could not be written whole."""


class BundleError(NobleError, RuntimeError):
    """A surrogate's bundle is missing, damaged, foreign or newer than this package."""


class DeviceError(NobleError, RuntimeError):
    """A device was asked for that this machine or this build of torch does not have."""


class OutsideTraining(UserWarning):
    """The surrogate was asked for something it was not trained on."""


class SomaWarning(UserWarning):
    """What stands at a surrogate's soma may not do there what it does on a full cell."""
