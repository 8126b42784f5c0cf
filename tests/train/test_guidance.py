"""A video LM that learns what guidance makes of its predictions."""

from pathlib import Path

import pytest
import tiny
import torch
from lm_trainings import SHORT, VIDEO, fit

from framecast.sample import SamplingParams, load_bundle, save_bundle
from framecast.sample.sampling import guide, shape_logits
from framecast.train.cli import main
from framecast.train.guidance import LitGuidance, Taught

TAUGHT = Taught(guidance_scale=3.0, temperature=0.7)


@pytest.fixture(scope="module")
def start(bundle, shards, tmp_path_factory) -> Path:
    """A bundle whose video LM minds its prompts, since all its weights are random."""
    folder = tmp_path_factory.mktemp("start")
    fit(folder / "run", bundle, shards, *SHORT, "--samples.every_n_validations=0")
    made = load_bundle(folder / "run" / "bundle")
    return save_bundle(folder / "bundle", made.tokenizer, tiny.randomise(made.lm), made.text_tokenizer, video=VIDEO)


def arguments(folder: Path, start: Path, *options: str) -> list[str]:
    """A run of 40 steps."""
    source = {"num_clips": 64, "num_frames": 5, "size": 32}
    return [
        "fit",
        "--model=framecast.train.LitGuidance",
        f"--model.init_args.init_from={start}",
        "--model.init_args.taught.guidance_scale=3",
        "--model.init_args.taught.temperature=0.7",
        "--model.init_args.optimizer.learning_rate=2e-3",
        "--model.init_args.optimizer.warmup_steps=2",
        "--data=framecast.train.TokenDataModule",
        f"--data.init_args.tokenizer={start}",
        f"--data.init_args.shards={folder.parent / 'tokens'}",
        "--data.init_args.source=framecast.data.SpriteWorld",
        *(f"--data.init_args.source.init_args.{name}={value}" for name, value in source.items()),
        "--data.init_args.val_clips=4",
        "--data.init_args.batch_size=4",
        "--trainer.max_steps=40",
        "--trainer.val_check_interval=8",
        "--trainer.enable_progress_bar=false",
        "--trainer.logger=false",
        "--samples.every_n_validations=0",
        f"--trainer.default_root_dir={folder}",
        *options,
    ]


def test_what_is_learned_is_what_guidance_makes_of_the_prediction(start, tmp_path, monkeypatch):
    away: list[float] = []
    measure = LitGuidance.validation_step

    def noted(self, batch, batch_idx):
        measure(self, batch, batch_idx)
        example = self.example(batch, 1)
        away.append(float(self.divergence(self.hidden(example, 1), example, 1)))
        assert away[-1] == pytest.approx(float(apart(self, example)), abs=1e-4)

    monkeypatch.setattr(LitGuidance, "validation_step", noted)
    main(arguments(tmp_path / "run", start, "--trainer.precision=32-true"))
    assert away[-1] < 0.7 * away[0]
    assert {"val/kl_token", "val/kl_row", "val/kl_frame"} <= set(load_bundle(tmp_path / "run" / "bundle").training["metrics"])


@torch.no_grad()
def apart(module: LitGuidance, example) -> torch.Tensor:
    """The divergence over whole tokens, in which no factors are told apart."""
    text, vocabulary = module.data.text_tokenizer, module.start.vocabulary
    null = torch.full_like(example.ids, text.pad_id)
    null[..., 0] = text.eos_id
    real = example.ids != text.pad_id
    start = module.start
    prompts = start.encode_prompts(example.ids, real, example.starts, example.num_frames)
    nothing = start.encode_prompts(null, null != text.pad_id, example.starts, example.num_frames)
    both = torch.cat([start(example.inputs, each, 1).hidden for each in (prompts, nothing)])
    params = SamplingParams(temperature=TAUGHT.temperature, guidance_scale=TAUGHT.guidance_scale)
    wanted = shape_logits(guide(vocabulary.logits(both), params.guidance_scale), params).log_softmax(dim=-1)
    told = module.network.vocabulary.logits(module.hidden(example, 1)).log_softmax(dim=-1)
    return (wanted.exp() * (wanted - told)).sum(dim=-1).mean()


@pytest.mark.parametrize("taught", [{"temperature": 0.0}, {"guidance_scale": -1.0}, {"temperature": 11.0}])
def test_settings_that_are_no_distribution_are_refused(taught):
    with pytest.raises(ValueError, match=r"got .* wanted"):
        Taught(**taught)


def test_guidance_on_actions_wants_a_model_that_knows_them(start, tmp_path):
    with pytest.raises(ValueError, match=r"got action_guidance 2\.0 for a model that knows no actions, .*; wanted 1, or"):
        main(arguments(tmp_path / "run", start, "--model.init_args.taught.action_guidance=2"))
    assert not (tmp_path / "run" / "bundle").exists()


def test_a_bundle_without_a_video_lm_cannot_be_gone_on_from(bundle):
    with pytest.raises(ValueError, match="it holds a tokenizer and no video LM; name a bundle with one"):
        LitGuidance(str(bundle))
