"""Trains the two networks of an arm for a number of steps, all arms alike."""

import copy
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn

from framecast.machine import bfloat16_pays
from framecast.model import ActionVectors, LMOutput, LMState, PromptMemory, VideoLM, VideoLMConfig, shift_tokens, to_sequence
from framecast.progress import Task
from framecast.tokenizer import VideoTokenizer
from framecast.train import AdamWConfig, ReconstructionLoss
from framecast.train.conditioning import corrupt

from .arms import WINDOW, Arm
from .clips import Clips

CLIP_FRAMES, CLIPS_A_STEP = 17, 4
"""Of a step of the tokenizer."""
TOKENS_A_STEP, NUM_WINDOWS, WINDOWS_AT_ONCE = 1920, 1600, 24
"""Of a step of the video LM; windows that it learns from, and how many of them are tokenised at once."""
TOKENIZER_RECIPE = AdamWConfig(learning_rate=2e-3, warmup_steps=40, final_share=0.02)
LM_RECIPE = AdamWConfig(learning_rate=3e-3, warmup_steps=50)
RECONSTRUCTION = ReconstructionLoss(l1=0.5, l2=4.0, structure=0.25)
CORRUPTION, DROPPED, Z_WEIGHT, DECAY, CLIP_NORM = 0.05, 0.1, 1e-4, 0.995, 1.0


Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Trained(Generic[Network]):
    """A network, and the processor seconds that its training took."""

    network: Network
    seconds: float


class World(nn.Module):
    """A video LM that is told what is done in the way of an arm."""

    def __init__(self, arm: Arm, tokenizer: VideoTokenizer, size: tuple[int, int], num_actions: int):
        super().__init__()
        self.arm, self.size = arm, (arm.stride, num_actions)
        shape = tokenizer.frame_shape(*size)
        as_text = arm.conditioning == "text"
        self.lm = VideoLM(
            VideoLMConfig(
                width=192,
                num_layers=5,
                num_heads=3,
                num_kv_heads=1,
                mlp_width=448,
                text_width=64,
                text_layers=1,
                max_prompt_length=max(1, arm.stride * num_actions),
                context_frames=WINDOW // arm.stride,
                codebook_size=tokenizer.codebook_size,
                frame_shape=shape,
                text_vocab_size=1 + 3 * arm.stride * num_actions,
                num_actions=0 if as_text else num_actions,
                action_frames=arm.stride,
                action_conditioning="film" if arm.conditioning == "film" else "add",
            )
        )

    @property
    def block_length(self) -> int:
        """Tokens of a row: what is chosen at once."""
        return self.lm.config.frame_shape[1]

    def prompts(self, actions: Tensor) -> PromptMemory:
        """Prompts of `[B, F, stride, A]`: one for each latent frame that says its actions, or an empty one for all."""
        batch, frames = actions.shape[:2]
        if self.arm.conditioning != "text":
            return self.lm.encode_prompts(torch.zeros(batch, 1, 1, dtype=torch.int64), torch.ones(batch, 1, 1, dtype=torch.bool))
        places = torch.arange(actions[0, 0].numel()).view(self.size)
        said = torch.where(actions.isnan(), 2, (actions > 0).long())  # a word each for off, on and unknown, at each place
        ids = (1 + 3 * places + said).flatten(2)
        return self.lm.encode_prompts(ids, torch.ones_like(ids, dtype=torch.bool), torch.arange(frames).expand(batch, -1), frames)

    def vectors(self, actions: Tensor) -> ActionVectors | None:
        """What is added of the actions `[B, F, stride, A]`; None if prompts say them, or if there are none."""
        return self.lm.encode_actions(actions) if self.lm.config.num_actions else None

    def forward(self, inputs: Tensor, actions: Tensor, state: LMState | None = None) -> LMOutput:
        """As of the video LM, with the actions `[B, F, stride, A]` of the latent frames of the inputs."""
        output: LMOutput = self.lm(inputs, self.prompts(actions), self.block_length, state, actions=self.vectors(actions))
        return output

    def nats(self, tokens: Tensor, actions: Tensor, corruption: float = 0.0) -> tuple[Tensor, Tensor]:
        """Of each token `[B, F, H, W]`, `[B, S]`; and the z-loss."""
        inputs = shift_tokens(tokens, self.block_length, self.lm.start_id)
        inputs = corrupt(inputs, tokens.shape[1], self.lm.config.codebook_size, corruption)
        loss = self.lm.vocabulary.loss(self(inputs, actions).hidden, to_sequence(tokens))
        return loss.nll, loss.log_z


def train_tokenizer(arm: Arm, clips: Clips, steps: int) -> Trained[VideoTokenizer]:
    """Trains the tokenizer of an arm."""
    torch.manual_seed(0)
    tokenizer, generator = arm.tokenizer(), torch.Generator().manual_seed(1)

    def loss() -> Tensor:
        video = clips.draw(CLIPS_A_STEP, CLIP_FRAMES, generator).video()
        output = tokenizer(video)
        return RECONSTRUCTION(output.video, video) + output.quantized.loss.float()

    return Trained(tokenizer, run_steps(tokenizer, loss, TOKENIZER_RECIPE, steps, "tokenizer", after=lambda step: None))


def train_world(arm: Arm, tokenizer: VideoTokenizer, clips: Clips, steps: int, seed: int = 0) -> Trained[World]:
    """Trains the video LM of an arm; what it has learned is the moving average of its weights."""
    torch.manual_seed(seed)
    height, width = clips.frames.shape[2:4]
    world = World(arm, tokenizer, (height, width), clips.actions.shape[2])
    windows = clips.draw(NUM_WINDOWS, 1 + WINDOW + arm.stride, torch.Generator().manual_seed(2 + seed))
    tokens, actions = tokenise(tokenizer, windows), windows.grouped(arm.stride)
    batch = max(1, TOKENS_A_STEP // tokens[0].numel())
    average = copy.deepcopy(world)

    def loss() -> Tensor:
        chosen = torch.randint(len(tokens), (batch,))
        unknown = torch.rand(batch, 1, 1, 1) < DROPPED
        nll, log_z = world.nats(tokens[chosen], actions[chosen].masked_fill(unknown, torch.nan), CORRUPTION)
        return nll.mean() + Z_WEIGHT * log_z.mean()

    def follow(step: int) -> None:
        share = 1 - min(DECAY, step / (step + 10))
        for kept, now in zip(average.parameters(), world.parameters(), strict=True):
            kept.data.lerp_(now.data, share)

    return Trained(average.eval(), run_steps(world, loss, LM_RECIPE, steps, "video LM", follow))


@torch.no_grad()
def tokenise(tokenizer: VideoTokenizer, clips: Clips) -> Tensor:
    """Tokens of clips, a few at a time, int64 `[N, F, H, W]`."""
    starts = range(0, len(clips), WINDOWS_AT_ONCE)
    return torch.cat([tokenizer.encode(clips.video(slice(start, start + WINDOWS_AT_ONCE))) for start in starts])


def run_steps(
    network: nn.Module, loss: Callable[[], Tensor], recipe: AdamWConfig, steps: int, what: str, after: Callable[[int], None]
) -> float:
    """So many steps, each followed by `after`; returns the processor seconds that they took."""
    optimizer = recipe.optimizer(network.train())
    schedule, started, mixed = recipe.schedule(optimizer, steps), time.process_time(), bfloat16_pays("cpu")
    with Task(f"training the {what}", steps) as progress:
        for step in range(steps):
            with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
                value = loss()
            optimizer.zero_grad()
            value.backward()
            nn.utils.clip_grad_norm_(network.parameters(), CLIP_NORM)
            optimizer.step()
            schedule.step()
            after(step)
            progress.advance()
    network.eval()
    return time.process_time() - started
