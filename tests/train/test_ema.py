"""The averaged weights."""

import torch
from trainings import Record, module, trainer, videos

from framecast.train import EMA


def test_ema_follows_the_weights_and_serves_the_validation(tmp_path):
    ema, record, model = EMA(decay=0.5), Record(), module()
    start = torch.cat([p.detach().flatten() for p in model.network.parameters()])
    trainer(tmp_path, 4, ema, record).fit(model, videos(4))
    expected = start
    for step, weights in enumerate(record.weights, start=1):
        expected = torch.lerp(expected, weights, 1 - min(0.5, (1 + step) / (10 + step)))
    average = torch.cat([p.flatten() for p in ema.average.values()])
    torch.testing.assert_close(average, expected)
    with ema.averaged(model):
        assert torch.equal(torch.cat([p.flatten() for p in model.network.parameters()]), average)
    assert torch.equal(torch.cat([p.flatten() for p in model.network.parameters()]), record.weights[-1])
