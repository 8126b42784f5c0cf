"""`LitReward`: trains a video LM on what the clips that it makes are worth."""

import time
import warnings
from collections import deque
from dataclasses import asdict
from statistics import fmean
from typing import Any

import torch
from lightning.pytorch.utilities import rank_zero_warn
from torch import Tensor

from ...model import TokenLoss, shift_tokens, to_sequence
from ...sample import SamplingParams, UnseenWordsWarning, VideoGenerator
from ..conditioning import Example, cut_gap
from ..from_bundle import LitFromBundle
from ..lm_module import BlockWeights
from ..muon import MuonConfig
from ..optim import AdamWConfig
from .collapse import CollapseWatch, Health, Limits
from .groups import DECODINGS, Advantages, Groups, diversity
from .reward import Reward, RewardError, judged
from .rolling_out import Plan, Rollout, roll_out
from .window import Window, draw_window

_OPTIMIZER = AdamWConfig(learning_rate=5e-5, warmup_steps=10, final_share=0.1)
_IDLE_STEPS = 20
_RECENT_STEPS = 20  # whose mean reward is shown
_SLOW_STEPS = 3  # in a row, after which a slow reward is named
_GROUPS, _LIMITS = Groups(), Limits()


class LitReward(LitFromBundle):
    """Trains the video LM of a bundle by GRPO (Shao et al. 2024): clips of one prompt are made, judged, and compared.

    A clip that is worth more than the others of its group becomes likelier, token by token, one that is worth less becomes less
    likely. Clips are made at temperature 1 without guidance, so the trained model needs none. True clips are trained on
    beside, so that the model does not leave them: the leash.

    Args:
        reward: What clips are worth.
        init_from: Folder of the bundle to go on from; the same as `data.init_args.tokenizer`.
        groups: How clips are made.
        true_weight: Weight of the loss of true clips.
        kl_weight: Weight of the distance from the bundle that the run began with, in nats a token, by samples (Schulman 2020);
            0 saves a forward of that bundle on the clips that were made.
        limits: When the run ends because the policy has collapsed.
        corruption: As of `LitVideoLM`, for the true clips.
        prompt_dropout: As of `LitVideoLM`, for the true clips.
        action_dropout: As of `LitVideoLM`, for the true clips.
        optimizer: AdamW and its schedule.
        muon: As of `LitVideoLM`.

    Raises:
        ValueError: If a weight or a share is out of range, or the bundle holds no video LM.
    """

    def __init__(
        self,
        reward: Reward,
        init_from: str,
        groups: Groups = _GROUPS,
        true_weight: float = 0.5,
        kl_weight: float = 0.0,
        limits: Limits = _LIMITS,
        corruption: float = 0.1,
        prompt_dropout: float = 0.1,
        action_dropout: float = 0.1,
        optimizer: AdamWConfig = _OPTIMIZER,
        muon: MuonConfig | None = None,
    ):
        blocks = BlockWeights(**{name: float(name == groups.decoding) for name in DECODINGS})
        super().__init__(
            init_from,
            blocks=blocks,
            corruption=corruption,
            prompt_dropout=prompt_dropout,
            action_dropout=action_dropout,
            gap_probability=0.0,
            optimizer=optimizer,
            muon=muon,
        )
        if true_weight < 0 or kl_weight < 0:
            raise ValueError(f"got true_weight {true_weight} and kl_weight {kl_weight}; wanted at least 0; 0 turns one off")
        self.reward, self.groups = reward, groups
        self.true_weight, self.kl_weight = true_weight, kl_weight
        self.watch, self.advantages = CollapseWatch(limits), Advantages()
        self._slow = self._idle = 0
        self._recent: deque[float] = deque(maxlen=_RECENT_STEPS)  # one step alone says little: prompts differ

    def on_fit_start(self) -> None:
        super().on_fit_start()
        self._check_lengths()

    def _check_lengths(self) -> None:
        """Whether clips of these lengths can be made and judged; raises ValueError if not."""
        true, tokenizer = self.data.source.num_frames, self.data.bundle.tokenizer
        made = true if self.groups.num_frames is None else self.groups.num_frames
        most = min(tokenizer.num_latent_frames(true), tokenizer.num_latent_frames(made) - 1)
        if self.groups.given > most:
            raise ValueError(f"got groups.given {self.groups.given} and clips of {true} frames; wanted at most {most}")
        if made < true or (made > true and self.data.action_space is not None):
            wanted = "as many" if self.data.action_space is not None else "as many or more"
            raise ValueError(
                f"got groups.num_frames {made} and true clips of {true} frames; wanted {wanted}, since prompts and actions are "
                "theirs; take num_frames out, or clips of another length in `data.init_args.source`"
            )

    def training_step(self, batch: dict[str, Any], batch_idx: int) -> Tensor | None:  # type: ignore[override]
        """None changes nothing: all groups were worth the same. One process of several then learns from true clips alone."""
        started = time.monotonic()
        rollout = self.roll_out(batch)
        made = time.monotonic()
        values = judged(self.reward, rollout.made)
        self._name_if_slow(time.monotonic() - made, made - started)
        everywhere = self.all_gather(values).flatten()  # of all processes, so that all find the same
        differ = self.advantages(everywhere, self.groups.size)
        self._log_rewards(everywhere, differ)
        self._end_if_indifferent(bool(differ.any()))
        if not differ.any() and self.trainer.world_size == 1:
            return None
        advantages = differ.unflatten(0, (self.trainer.world_size, -1))[self.global_rank]
        return self._loss(batch, rollout, advantages)

    def _loss(self, batch: dict[str, Any], rollout: Rollout, advantages: Tensor) -> Tensor:
        """Of the clips that differ from their groups, and of the true clips beside them."""
        true, before = self._true_losses(batch)
        leash: Tensor = self.true_weight * (true.nll.mean() + self.z_weight * true.log_z.mean())
        kept = advantages.unflatten(0, (-1, self.groups.size)).any(dim=1)  # a group of equal clips teaches nothing
        health = None
        if kept.any():
            loss, entropy = self.policy_loss(batch, rollout, advantages, kept.repeat_interleave(self.groups.size))
            variety = diversity(rollout, self.groups.size)
            health = Health(entropy, variety, float(true.nll.detach().mean()), float(before.nll.mean()))
            self.log_dict({f"train/{name}": value for name, value in asdict(health).items()})
            leash = leash + loss
        shares_nothing = rollout.fork == self.groups.given or self.groups.fork_share == 1
        self._watch(health if shares_nothing else None)  # clips that share a beginning differ less
        return leash

    def _watch(self, health: Health | None) -> None:
        """Notes what all processes say of the step, so that all end together."""
        own = torch.full((4,), torch.nan) if health is None else torch.tensor(list(asdict(health).values()))
        mean = self.all_gather(own).reshape(-1, 4).nanmean(dim=0)
        if not mean.isnan().any():
            self.watch.note(Health(*mean.tolist()), self.global_step)

    def _true_losses(self, batch: dict[str, Any]) -> tuple[TokenLoss, TokenLoss]:
        """Of the true clips, and of the same ones by what the run began with."""
        length = self.block_length(self.groups.decoding)
        example = self.disturb(self.example(batch, length))
        with torch.no_grad():
            before = self.token_loss(example, length, self.start)
        return self.token_loss(example, length), before

    def validation_step(self, batch: dict[str, Any], batch_idx: int) -> None:
        """The loss of true clips, and what clips of their prompts are worth, always with the same seeds."""
        super().validation_step(batch, batch_idx)
        with torch.random.fork_rng():
            torch.manual_seed(batch_idx)
            rollout = self._roll_out(batch, 1, self.groups.given)
        value = judged(self.reward, rollout.made).mean()
        self.log("val/reward", value, batch_size=len(rollout.tokens), sync_dist=True)
        self.log("val_reward", value, prog_bar=True, logger=False, batch_size=len(rollout.tokens), sync_dist=True)

    def roll_out(self, batch: dict[str, Any]) -> Rollout:
        """Groups of clips by the present weights, one group for each clip of the batch."""
        given, last = self.groups.given, self._length(batch) - 1
        fork = given
        if torch.rand(()) < self.groups.fork_share and given < last:
            fork = int(torch.randint(max(1, given), last + 1, ()))
        return self._roll_out(batch, self.groups.size, self.of_first(fork))

    def _length(self, batch: dict[str, Any]) -> int:
        """Latent frames of the clips that are made."""
        frames, true = self.groups.num_frames, int(batch["tokens"].shape[1])
        return true if frames is None else self.data.bundle.tokenizer.num_latent_frames(frames)

    def _roll_out(self, batch: dict[str, Any], size: int, fork: int) -> Rollout:
        """Without autocast, as those who sample make their clips."""
        data, params = self.data, SamplingParams(temperature=1.0, guidance_scale=1.0, decoding=self.groups.decoding)
        parts = (data.bundle.tokenizer.to(self.device), self.network, data.text_tokenizer)
        with torch.autocast(self.device.type, enabled=False), warnings.catch_warnings():
            warnings.simplefilter("ignore", UnseenWordsWarning)  # of captions that were held out
            generator = VideoGenerator(
                *parts, data.source.height, data.source.width, data.source.fps, action_space=data.action_space
            )
            plan = Plan(size, self._length(batch), self.groups.given, fork, params)
            return roll_out(generator, batch["clips"].clips, batch["tokens"], plan)

    def policy_loss(self, batch: dict[str, Any], rollout: Rollout, advantages: Tensor, chosen: Tensor) -> tuple[Tensor, float]:
        """Minus the advantage times the log-probability, the mean over the tokens that each clip drew for itself; their entropy.

        Args:
            batch: P true clips.
            rollout: A group of each.
            advantages: `[P * G]`.
            chosen: bool `[P * G]`, the clips that are learned from.
        """
        length = self.block_length(self.groups.decoding)
        window = draw_window(rollout.tokens.shape[1], rollout.fork, self.network.config)
        example = self._made_example(batch, rollout, chosen, length, window)
        own = window.learned(rollout.fork, self.network.frame_length)
        nll = self.token_loss(example, length).nll[:, own]
        loss = (nll * advantages[chosen].to(nll.device)[:, None]).mean()
        entropy = float(nll.detach().mean())  # of tokens that were drawn as they are likely
        if not self.kl_weight:
            return loss, entropy
        with torch.no_grad():
            known = self.token_loss(example, length, self.start).nll[:, own]
        ratio = nll - known  # log of the start's probability over the policy's
        kl = (ratio.exp() - 1 - ratio).mean()
        self.log("train/kl", kl.detach())
        return loss + self.kl_weight * kl, entropy

    def _made_example(self, batch: dict[str, Any], rollout: Rollout, chosen: Tensor, length: int, window: Window) -> Example:
        """What predicts what in a window of the clips that were made."""
        tokens = rollout.tokens[chosen, : window.end].to(self.device)

        def of_each(name: str) -> Tensor | None:
            value = batch.get(name)
            return None if value is None else value.repeat_interleave(self.groups.size, dim=0)[chosen]

        ids, starts = of_each("ids"), of_each("starts")
        assert ids is not None and starts is not None
        actions = of_each("actions") if self.network.config.num_actions else None
        inputs = shift_tokens(tokens, length, self.network.start_id)
        if actions is not None:
            actions = actions[:, : window.end]
        whole = Example(inputs, to_sequence(tokens), ids, starts, tokens.shape[1], actions=actions)
        return cut_gap(whole, window.sink, window.gap)

    def _log_rewards(self, values: Tensor, advantages: Tensor) -> None:
        spread = values.unflatten(0, (-1, self.groups.size)).std(dim=1).mean()
        kept = advantages.unflatten(0, (-1, self.groups.size)).any(dim=1)
        self.log_dict(
            {"train/reward": values.mean(), "train/reward_spread": spread, "train/groups_that_differ": kept.float().mean()}
        )
        self._recent.append(float(values.mean()))
        self.log("train/recent_reward", fmean(self._recent))
        self.log("reward", fmean(self._recent), prog_bar=True, logger=False)

    def _end_if_indifferent(self, taught: bool) -> None:
        self._idle = 0 if taught else self._idle + 1
        if self._idle == _IDLE_STEPS:
            raise RewardError(
                f"the reward {self.reward.name} gave all clips of a group the same for {_IDLE_STEPS} steps in a row, so there is "
                "nothing to learn; wanted one that tells clips apart; grade it, or raise `model.init_args.groups.size`"
            )

    def _name_if_slow(self, judging: float, making: float) -> None:
        self._slow = self._slow + 1 if judging > making else 0
        if self._slow == _SLOW_STEPS:
            rank_zero_warn(
                f"the reward {self.reward.name} takes longer than the sampling: {judging:.1f} s a step, and {making:.1f} s "
                "for the clips; the run goes on at less than half of its speed; judge all clips at once, or look at fewer frames"
            )

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_save_checkpoint(checkpoint)
        checkpoint["collapse_watch"] = self.watch.state()
        checkpoint["reward_variance"] = self.advantages.variance

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        super().on_load_checkpoint(checkpoint)
        self.watch.load(checkpoint["collapse_watch"])
        self.advantages.variance = checkpoint["reward_variance"]
