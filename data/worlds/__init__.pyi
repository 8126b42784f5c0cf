from .environments import Step, World, open_world, world_spec
from .episodes import RecordedEpisode, Recording, replay_episode, run_actions
from .naming import renamed
from .packages import WorldError, gymnasium
from .players import Play, default_play
from .playing import PolicyError, play_episode
from .policies import Policy
from .recorder import record
from .recording import Episode, RecordingWriter
from .spaces import ActionMapping, from_gymnasium, mapping_of, to_gymnasium
from .spec import WorldSpec

__all__ = [
    "ActionMapping",
    "Episode",
    "Play",
    "Policy",
    "PolicyError",
    "RecordedEpisode",
    "Recording",
    "RecordingWriter",
    "Step",
    "World",
    "WorldError",
    "WorldSpec",
    "default_play",
    "from_gymnasium",
    "gymnasium",
    "mapping_of",
    "open_world",
    "play_episode",
    "record",
    "renamed",
    "replay_episode",
    "run_actions",
    "to_gymnasium",
    "world_spec",
]
