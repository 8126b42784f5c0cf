"""LeRobotDataset folders in and out: recordings of robots, as parquet and mp4. Nothing of the package lerobot is needed."""

from .folder import LeRobotFolder
from .info import INFO_FILE, LeRobotInfo, read_info
from .writing import write_lerobot

__all__ = ["INFO_FILE", "LeRobotFolder", "LeRobotInfo", "read_info", "write_lerobot"]
