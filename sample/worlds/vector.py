"""`WorldVectorEnv`: several plays of one world, made side by side in a batch."""

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...data.actions import ActionError
from ...data.kinds import shown, whole
from ...data.worlds import gymnasium, mapping_of
from ..batch import StreamBatch
from ..generator import VideoGenerator
from ..given import Given
from ..prompts import Prompt
from ..settings import Params
from ..snapshot import SnapshotError
from .env import image_space
from .episode import Episode, Image, Rules, Starts, checked_mode, checked_seed, restore

_MODES = gymnasium.vector.AutoresetMode
Stepped = tuple[NDArray[np.uint8], NDArray[np.float64], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]]


class WorldVectorEnv(gymnasium.vector.VectorEnv[NDArray[np.uint8], Any, Any]):
    """Several `WorldEnv` in one: a step makes a latent frame of all of them at once. Each is what it would be alone.

    Args:
        bundle: As for `WorldEnv`, and so are all that are not told here.
        num_envs: How many there are.
        autoreset_mode: What happens at the end of an episode, as Gymnasium has it: "NextStep" begins another one with the next
            step, "SameStep" at once, "Disabled" not before `reset` asks for it.
        render_mode: "rgb_array", or `None`.

    Raises:
        ValueError: As for `WorldEnv`, or there is no such mode.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"]}  # noqa: RUF012 - Gymnasium has it so

    def __init__(
        self,
        bundle: VideoGenerator | str | Path | None = None,
        num_envs: int = 8,
        *,
        start: Starts = None,
        prompt: Prompt | None = None,
        max_steps: int | None = 1000,
        params: Params = None,
        first_frames: Given = None,
        end_above: float = 0.5,
        autoreset_mode: "str | gymnasium.vector.AutoresetMode" = "NextStep",
        render_mode: str | None = None,
    ):
        self.render_mode = checked_mode(render_mode)
        self.rules = Rules(bundle, start, prompt, max_steps, params, first_frames, end_above)
        self.generator, self.mapping = self.rules.generator, mapping_of(self.rules.space)
        self.num_envs = whole("num_envs", num_envs, 1, inf, "a whole number of environments, from 1")
        self.autoreset_mode = _mode(autoreset_mode)
        self.metadata = {**self.metadata, "render_fps": self.rules.steps_per_second, "autoreset_mode": self.autoreset_mode}
        self.single_action_space, self.single_observation_space = self.mapping.gymnasium, image_space(self.generator)
        batched = gymnasium.vector.utils.batch_space
        self.action_space = batched(self.single_action_space, self.num_envs)
        self.observation_space = batched(self.single_observation_space, self.num_envs)
        guides = self.rules.params.guides
        self._batch = StreamBatch(self.generator, self.num_envs, guides.text, guides.action)
        self._rngs = [np.random.default_rng() for _ in range(self.num_envs)]
        self._episodes: list[Episode] = []

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: Mapping[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Begins episodes.

        Args:
            seed: Of the first environment, the next ones count on from it; or one for each; `None` goes on.
            options: "reset_mask", bool `[num_envs]`, says which environments begin anew; without it all do.

        Returns:
            The images uint8 `[num_envs, H, W, 3]`, and what is known of them.

        Raises:
            ValueError: Seeds or mask are not as many as environments, or a seed is no whole number from 0.
        """
        seeds, places = self._seeds(seed), self._masked(options)
        for place in places:
            if seeds[place] is not None:
                self._rngs[place] = gymnasium.utils.seeding.np_random(seeds[place])[0]
        self._begin(places)
        infos: dict[str, Any] = {}
        for place in places:
            infos = self._add_info(infos, self._episodes[place].about(), place)
        return self._images(), infos

    def step(self, actions: Any) -> Stepped:
        """Makes one latent frame of every episode that goes on.

        Args:
            actions: One of `action_space`, or one action of `single_action_space` for each environment.

        Returns:
            Images, rewards, terminated, truncated, infos, all `[num_envs, ...]`.

        Raises:
            ActionError: An action is none; nothing has happened.
        """
        self._check_begun("a step")
        over = [place for place, episode in enumerate(self._episodes) if episode.over]
        if over and self.autoreset_mode == _MODES.DISABLED:
            raise gymnasium.error.ResetNeeded(
                f'got a step after the end of episodes {over}; wanted a reset of these: `options={{"reset_mask": ...}}`'
            )
        self._act(actions, over)
        made = self._batch.step()
        rewards, infos = np.zeros(self.num_envs), dict[str, Any]()
        ended, cut = np.zeros(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)
        for place, episode in enumerate(self._episodes):
            if episode.over:
                continue
            episode.stream.take()
            _, rewards[place], ended[place], cut[place], info = episode.note(made[episode.stream])
            if episode.over and self.autoreset_mode == _MODES.SAME_STEP:
                infos = self._add_info(infos, {"final_obs": episode.show(), "final_info": info}, place)
            else:
                infos = self._add_info(infos, info, place)
            if episode.over:
                episode.stream.leave()
        again = over if self.autoreset_mode == _MODES.NEXT_STEP else np.flatnonzero(ended | cut).tolist()
        if self.autoreset_mode != _MODES.DISABLED:
            self._begin(again)
            for place in again:
                infos = self._add_info(infos, self._episodes[place].about(), place)
        return self._images(), rewards, ended, cut, infos

    def render(self) -> tuple[Image, ...] | None:
        """The image of each environment that is seen now, if `render_mode` asks for it."""
        self._check_begun("a picture")
        return tuple(self._images()) if self.render_mode is not None else None

    def get_action_meanings(self) -> Any:
        """What an action of `single_action_space` does, as `WorldEnv.get_action_meanings` says it."""
        return self.mapping.meanings

    def snapshot(self) -> list[bytes]:
        """A snapshot of each environment, as `WorldEnv.snapshot` gives it."""
        self._check_begun("a snapshot")
        return [episode.snapshot(rng) for episode, rng in zip(self._episodes, self._rngs, strict=True)]

    def restore(self, snapshots: Sequence[bytes]) -> NDArray[np.uint8]:
        """Goes back to moments of environments of the same bundle, one for each; returns their images.

        For planning, all of them can be one and the same: `envs.restore([env.snapshot()] * envs.num_envs)`.

        Raises:
            SnapshotError: One is none; the environments are what they were.
            ValueError: There are not as many, or one is of an environment with guidance and these are without; nor has
                anything happened then.
        """
        held = self._held(snapshots)
        known = {snapshot: self._moment(snapshot) for snapshot in dict.fromkeys(held)}
        episodes, rngs = [], []
        for snapshot in held:
            moment, rng = known[snapshot]
            (stream,) = moment.stream.branch([moment.stream.seed])
            episodes.append(Episode(self.rules, stream, moment.image, moment.steps, moment.over))
            rngs.append(np.random.Generator(type(rng.bit_generator)()))
            rngs[-1].bit_generator.state = rng.bit_generator.state
        self._leave(range(len(self._episodes)))  # not before all that can be refused was checked
        self._episodes, self._rngs = episodes, rngs
        self._batch.join(*(episode.stream for episode in self._episodes if not episode.over))
        return self._images()

    def close_extras(self, **kwargs: Any) -> None:
        """Ends the episodes."""
        self._leave(range(len(self._episodes)))
        self._episodes = []

    def _check_begun(self, what: str) -> None:
        if not self._episodes:
            raise gymnasium.error.ResetNeeded(f"got {what} before the first reset; wanted a reset: `envs.reset(seed=0)`")

    def _act(self, actions: Any, over: Sequence[int]) -> None:
        """Lets all actions hold, or none of them if one is none."""
        given = actions if isinstance(actions, list) else self._apart(actions)
        if len(given) != self.num_envs:
            raise ValueError(f"got {len(given)} actions; wanted one for each of {self.num_envs} environments")
        rows = {place: self.mapping.from_env(one) for place, one in enumerate(given) if place not in over}
        for place, row in rows.items():
            self._episodes[place].stream.act(row)

    def _apart(self, actions: Any) -> list[Any]:
        """The action of each environment, of one of `action_space`."""
        try:
            return list(gymnasium.vector.utils.iterate(self.action_space, actions))
        except (TypeError, ValueError, LookupError, gymnasium.error.Error) as error:
            raise ActionError(
                f"got {shown(actions)} as actions; wanted one of {self.action_space}, or a list of {self.num_envs} of "
                f"{self.single_action_space}"
            ) from error

    def _seeds(self, seed: Any) -> list[int | None]:
        """A seed for each environment, from one in all or from as many."""
        if seed is None:
            return [None] * self.num_envs
        if not isinstance(seed, (list, tuple, range, np.ndarray)) or np.ndim(seed) == 0:
            first = whole("seed", seed, 0, inf, f"a whole number from 0, or {self.num_envs} of them")
            return list(range(first, first + self.num_envs))
        if len(seed) != self.num_envs:
            raise ValueError(f"got {len(seed)} seeds; wanted one for each of {self.num_envs} environments, or one in all")
        return [checked_seed(one) for one in seed]

    def _held(self, snapshots: Any) -> list[bytes]:
        """The snapshots as bytes, as many as environments."""
        if not isinstance(snapshots, (list, tuple)):
            raise ValueError(f"got {type(snapshots).__name__} as snapshots; wanted a list of {self.num_envs} of bytes")
        if len(snapshots) != self.num_envs:
            raise ValueError(f"got {len(snapshots)} snapshots; wanted one for each of {self.num_envs} environments")
        for one in snapshots:
            if not isinstance(one, (bytes, bytearray)):
                raise SnapshotError(f"got {type(one).__name__} as a snapshot; wanted the bytes that `snapshot` gave")
        return [bytes(one) for one in snapshots]

    def _moment(self, snapshot: bytes) -> tuple[Episode, np.random.Generator]:
        """The moment of a snapshot, which these environments can go on from."""
        moment, rng = restore(self.rules, snapshot)
        own, ours = moment.stream.seat.own.guides, self._batch.guides
        if (own.text and not ours.text) or (own.action and not ours.action):
            kind = "guidance_scale" if own.text and not ours.text else "action_guidance"
            raise ValueError(
                f"got a snapshot of an environment with {kind} for environments without; wanted one without; or make these with "
                f'`params={{"{kind}": ...}}` as well'
            )
        return moment, rng

    def _begin(self, places: Sequence[int]) -> None:
        """Lets episodes begin, whose first frames are made at once."""
        self._leave(place for place in places if place < len(self._episodes))
        new = {place: self.rules.begin(self._rngs[place]) for place in places}
        if new:
            self._batch.join(*(episode.stream for episode in new.values()))
        self._episodes = [new[place] if place in new else self._episodes[place] for place in range(self.num_envs)]
        for episode in new.values():
            episode.show()

    def _leave(self, places: Iterable[int]) -> None:
        for place in places:
            self._episodes[place].stream.close()

    def _images(self) -> NDArray[np.uint8]:
        images: list[Image] = [episode.show() for episode in self._episodes]
        return np.stack(images)

    def _masked(self, options: Mapping[str, Any] | None) -> list[int]:
        """The environments that begin anew."""
        if not options or "reset_mask" not in options or not self._episodes:
            return list(range(self.num_envs))
        mask = np.asarray(options["reset_mask"])
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise ValueError(
                f"got a reset_mask of shape {list(mask.shape)} and {mask.dtype}; wanted [{self.num_envs}] of truth values"
            )
        places: list[int] = np.flatnonzero(mask).tolist()
        return places


def _mode(given: object) -> "gymnasium.vector.AutoresetMode":
    for mode in _MODES:
        if given in (mode, mode.value, mode.name):
            return mode
    raise ValueError(f"got autoreset_mode {given!r:.40}; wanted one of {', '.join(mode.value for mode in _MODES)}")
