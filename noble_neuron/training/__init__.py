"""Training: one loop, the tasks it learns, and how samples are split."""

from .config import TrainConfig
from .loop import Task, TrainResult, train

__all__ = ["Task", "TrainConfig", "TrainResult", "train"]
