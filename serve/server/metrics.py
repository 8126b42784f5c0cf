"""`Metrics`: what a server tells Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

_SECONDS = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.125, 0.15, 0.2, 0.3, 0.5, 1.0, 2.0, 5.0)
_FORWARDS = (1, 2, 4, 6, 8, 12, 16, 24, 32, 64, 128)


class Metrics:
    """Counts what happens; each server has its own registry."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own = self.registry
        self.sessions = Gauge("framecast_sessions", "streams that have a place", registry=own)
        self.waiting = Gauge("framecast_waiting_frames", "frames that were made and not yet sent", registry=own)
        self.refused = Counter("framecast_refused", "errors that clients were told, by code", ["code"], registry=own)
        self.frames = Counter("framecast_frames", "frames that were sent", registry=own)
        self.late = Counter(
            "framecast_late_frames", "frames that were sent more than half a frame after they were due", registry=own
        )
        self.first = Histogram(
            "framecast_first_frame_seconds", "from the request of a stream to its first frame", buckets=_SECONDS, registry=own
        )
        self.interval = Histogram(
            "framecast_frame_interval_seconds", "between the frames of a stream", buckets=_SECONDS, registry=own
        )
        self.step = Histogram("framecast_step_seconds", "a latent frame of some streams", buckets=_SECONDS, registry=own)
        self.streams = Histogram("framecast_step_streams", "streams in a step", buckets=(1, 2, 4, 8, 16, 32), registry=own)
        self.forwards = Histogram(
            "framecast_step_forwards", "forwards of the video LM in a step", buckets=_FORWARDS, registry=own
        )

    def stepped(self, streams: int, forwards: int, seconds: float) -> None:
        """A latent frame of some streams is made."""
        self.step.observe(seconds)
        self.streams.observe(streams)
        self.forwards.observe(forwards)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)
