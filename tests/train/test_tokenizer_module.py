"""The training of a tokenizer: what it starts from, and its adversarial term."""

import pytest
import tiny
import torch
from trainings import NETWORK, Record, fit_six, trainer, videos

from framecast.sample import load_bundle, save_bundle
from framecast.tokenizer import FSQ, LFQ
from framecast.train import LitVideoTokenizer
from framecast.train.discriminator import PatchDiscriminator
from framecast.train.tokenizer_module import start_from


def test_a_run_starts_from_a_bundle(tmp_path):
    fit_six(tmp_path / "first")
    still = ["--trainer.max_steps=1", "--trainer.val_check_interval=1", "--model.init_args.optimizer.learning_rate=1e-12"]
    fit_six(tmp_path / "second", *still, f"--model.init_args.init_from={tmp_path / 'first' / 'bundle'}")
    weights = [load_bundle(tmp_path / name / "bundle").tokenizer.state_dict() for name in ("first", "second")]
    for name, value in weights[0].items():
        torch.testing.assert_close(weights[1][name], value, atol=1e-6, rtol=0)


def test_a_run_cannot_start_from_another_tokenizer(tmp_path):
    bundle = save_bundle(tmp_path / "bundle", tiny.tokenizer(FSQ((5, 5, 5))), video={"height": 32, "width": 32, "fps": 12.0})
    start = load_bundle(bundle)
    with pytest.raises(ValueError, match=r"its tokenizer has levels \(5, 5, 5\), and \(8, 5\) is wanted; make them equal"):
        start_from(tiny.tokenizer(FSQ((8, 5))), start)
    with pytest.raises(ValueError, match="its tokenizer has quantizer FSQ, and LFQ is wanted"):
        start_from(tiny.tokenizer(LFQ(6)), start)


@pytest.mark.parametrize("quantizer", ["FSQ", "VQ"])
def test_a_decoder_can_learn_alone_so_that_all_tokens_stay(tmp_path, quantizer):
    own = [f"--model.init_args.quantizer=framecast.tokenizer.{quantizer}"]
    fit_six(tmp_path / "first", *own)
    start = tmp_path / "first" / "bundle"
    fit_six(tmp_path / "second", *own, f"--model.init_args.init_from={start}", "--model.init_args.decoder_only=true")
    before, after = (load_bundle(tmp_path / name / "bundle").tokenizer for name in ("first", "second"))
    changed = {name for name, value in after.state_dict().items() if not torch.equal(value, before.state_dict()[name])}
    assert changed
    assert [name for name in changed if not name.startswith("decoder.")] == []
    with pytest.raises(ValueError, match="got decoder_only and no init_from; wanted the bundle whose tokens are to stay"):
        LitVideoTokenizer(NETWORK, decoder_only=True)


def test_the_adversarial_term_joins_late_and_each_player_gets_its_own_gradient(tmp_path):
    torch.manual_seed(0)
    model, record = LitVideoTokenizer(NETWORK, FSQ((3, 3)), adversarial_start=2), Record()
    before = model.discriminator.state_dict()["layers.0.weight"].clone()
    trainer(tmp_path, 2, record).fit(model, videos(2))
    assert torch.equal(model.discriminator.layers[0].weight, before)  # it has not joined yet
    trainer(tmp_path, 4, record).fit(model, videos(4))
    assert not torch.equal(model.discriminator.layers[0].weight, before)

    fake = torch.rand(1, 3, 2, 16, 16, requires_grad=True)
    critic = PatchDiscriminator()
    critic.requires_grad_(False)
    score = -critic(fake).mean()
    critic.requires_grad_(True)
    score.backward()
    assert fake.grad.abs().sum() > 0
    assert all(p.grad is None for p in critic.parameters())


def test_one_colour_for_each_token_is_the_mean_of_its_pixels():
    model = LitVideoTokenizer(NETWORK)
    time, space = model.tokenizer.temporal_stride, model.tokenizer.spatial_stride
    video = torch.rand(2, 3, 1 + 2 * time, 2 * space, 3 * space, generator=torch.Generator().manual_seed(0))
    flat = model._in_one_colour(video)
    assert flat.shape == video.shape
    torch.testing.assert_close(flat[1, 0, 0, :space, :space], video[1, 0, 0, :space, :space].mean().expand(space, space))
    cell = video[0, 2, 1 : 1 + time, space:, :space]
    torch.testing.assert_close(flat[0, 2, 1 : 1 + time, space:, :space], cell.mean().expand(cell.shape))
