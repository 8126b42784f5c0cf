from .env import WorldEnv
from .vector import WorldVectorEnv

__all__ = ["WorldEnv", "WorldVectorEnv"]
