"""Videos that are made while the client does something else."""

import asyncio
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from ..protocol.bodies import DEFAULT_FRAMES, JobError, JobReply, JobRequest
from ..protocol.errors import ServeError, as_serve_error
from ..protocol.script import Script, check_prompt
from .rendering import check_length, render
from .service import Service

_SETTINGS = ("temperature", "top_k", "top_p", "guidance_scale", "negative_prompt")
_ASK_AGAIN = 0.1  # seconds until the next job asks for a place again
_UNFINISHED = ("queued", "in_progress")


class Job:
    """A video that was asked for.

    Attributes:
        script: What it shows.
        picture: What it goes on from; None if nothing.
        reply: How it stands.
        path: The file of the video, once it is completed.
    """

    def __init__(self, script: Script, picture: bytes | None, reply: JobReply, path: Path):
        self.script, self.picture, self.reply, self.path = script, picture, reply, path
        self.task: asyncio.Task[None] | None = None

    @property
    def unfinished(self) -> bool:
        """Whether it waits or is being made."""
        return self.reply.status in _UNFINISHED

    def now(self, **values: Any) -> None:
        """Says how it stands."""
        self.reply = self.reply.model_copy(update=values)


class Jobs:
    """The videos that were asked for. They wait in order for a place, beside the streams, and are thrown away after a while.

    Args:
        service: Makes them.
    """

    def __init__(self, service: Service):
        self._service, self._jobs, self._turn = service, dict[str, Job](), asyncio.Lock()

    @cached_property
    def _folder(self) -> Path:
        """Where videos lie until they are fetched or thrown away; made with the first job."""
        return Path(tempfile.mkdtemp(prefix="framecast-jobs-"))

    def create(self, wanted: JobRequest, picture: bytes | None = None) -> JobReply:
        """Takes a job.

        Raises:
            ServeError: The model cannot make such a video, or there are too many jobs.
        """
        self._check_fixed(wanted)
        num_frames = self._num_frames(wanted)
        script = self._script(wanted)
        self._make_room()
        generator, id = self._service.generator, f"video_{secrets.token_urlsafe(16)}"
        reply = JobReply(
            id=id,
            model=generator.name,
            status="queued",
            progress=0,
            created_at=int(time.time()),
            prompt=wanted.prompt,
            size=f"{generator.width}x{generator.height}",
            seconds=f"{num_frames / generator.fps:.4g}",
            fps=generator.fps,
            num_frames=num_frames,
            seed=script.seed,
        )
        job = self._jobs[id] = Job(script, picture, reply, self._folder / f"{id}.mp4")
        job.task = asyncio.create_task(self._run(job))
        return reply

    def find(self, id: str) -> Job:
        """A job.

        Raises:
            ServeError: There is none of this name, or its video was thrown away.
        """
        self._expire()
        job = self._jobs.get(id)
        if job is None:
            raise ServeError("not_found", f"there is no video {id[:14]}...; it may have expired or been deleted")
        return job

    def newest(self, most: int, after: str | None = None) -> tuple[list[JobReply], bool]:
        """Jobs, the newest first, behind the one that is named; and whether there are more."""
        self._expire()
        replies = [job.reply for job in reversed(self._jobs.values())]
        if after is not None:
            self.find(after)
            replies = replies[[reply.id for reply in replies].index(after) + 1 :]
        return replies[:most], len(replies) > most

    async def delete(self, id: str) -> None:
        """Ends a job, and throws its video away.

        Raises:
            ServeError: There is none of this name.
        """
        job = self.find(id)
        del self._jobs[id]
        await _end(job)
        job.path.unlink(missing_ok=True)

    async def close(self) -> None:
        """Ends all jobs, and throws all videos away."""
        jobs, self._jobs = list(self._jobs.values()), {}
        await asyncio.gather(*(_end(job) for job in jobs))
        if "_folder" in vars(self):
            await asyncio.to_thread(shutil.rmtree, self._folder, True)

    async def _run(self, job: Job) -> None:
        total = job.reply.num_frames

        async def note(index: int) -> None:
            job.now(status="in_progress", progress=min(99, 100 * (index + 1) // total))

        try:
            async with self._turn:  # one job at a time, so that streams find places beside them
                await self._with_place(job, note)
            done = time.time()
            expires = int(done + self._service.config.job_seconds)
            job.now(status="completed", progress=100, completed_at=int(done), expires_at=expires)
        except Exception as error:
            told = as_serve_error(error)
            job.now(status="failed", error=JobError(code=told.code, message=told.message))
            job.path.unlink(missing_ok=True)

    async def _with_place(self, job: Job, note: Callable[[int], Awaitable[None]]) -> None:
        """Makes the video of a job as soon as there is a place."""
        while True:
            try:
                return await render(self._service, job.script, job.reply.num_frames, job.path, note, job.picture)
            except ServeError as error:
                if error.code != "server_full" or job.reply.status != "queued":
                    raise
            await asyncio.sleep(_ASK_AGAIN)

    def _make_room(self) -> None:
        """Throws the oldest finished job away if there are too many.

        Raises:
            ServeError: All of them are unfinished.
        """
        self._expire()
        most = self._service.config.max_jobs
        if len(self._jobs) < most:
            return
        oldest = next((id for id, job in self._jobs.items() if not job.unfinished), None)
        if oldest is None:
            raise ServeError("server_full", f"{most} videos wait to be made; try again in a while, or delete some")
        self._jobs.pop(oldest).path.unlink(missing_ok=True)

    def _expire(self) -> None:
        now = time.time()
        for id, job in list(self._jobs.items()):
            if job.reply.expires_at is not None and job.reply.expires_at <= now:
                self._jobs.pop(id).path.unlink(missing_ok=True)

    def _check_fixed(self, wanted: JobRequest) -> None:
        """What the model cannot choose must be as it is.

        Raises:
            ServeError: It is not.
        """
        generator = self._service.generator
        own: Mapping[str, object] = {
            "model": generator.name,
            "size": f"{generator.width}x{generator.height}",
            "width": generator.width,
            "height": generator.height,
            "fps": generator.fps,
        }
        for name, value in own.items():
            got = getattr(wanted, name)
            if got is not None and got != value:
                code = "not_found" if name == "model" else "bad_message"
                raise ServeError(code, f"got {name} {got}; wanted {value}, the only one here; leave {name} out")

    def _num_frames(self, wanted: JobRequest) -> int:
        """The length of a video.

        Raises:
            ServeError: The model cannot make it.
        """
        generator = self._service.generator
        if wanted.num_frames is not None and wanted.seconds is not None:
            raise ServeError("bad_message", "got both num_frames and seconds; wanted one of them")
        num_frames = wanted.num_frames or DEFAULT_FRAMES
        if wanted.seconds is not None:
            longest = self._service.config.max_video_frames / generator.fps
            if wanted.seconds > longest:
                raise ServeError(
                    "bad_message", f"got {wanted.seconds:g} seconds; wanted at most {longest:.4g}; stream longer videos"
                )
            stride = generator.codec.stride.frames
            num_frames = 1 + stride * max(0, round((wanted.seconds * generator.fps - 1) / stride))
        check_length(self._service, num_frames)
        return num_frames

    def _script(self, wanted: JobRequest) -> Script:
        """What the video shows and how its tokens are chosen, checked before the job waits."""
        given = wanted.model_dump(include=set(_SETTINGS), exclude_none=True)
        script = Script.model_validate({"prompt": wanted.prompt, "seed": _seed(wanted), "settings": given})
        check_prompt(wanted.prompt, self._service.config.max_prompt)
        params = script.settings.params(self._service.generator.params)
        try:
            self._service.generator.stepper.check_params(params)
        except ValueError as error:
            raise as_serve_error(error, "bad_settings") from error
        return script


def _seed(wanted: JobRequest) -> int:
    """Who asks for several videos of one prompt wants different ones."""
    return secrets.randbelow(2**31) if wanted.seed is None else wanted.seed


async def _end(job: Job) -> None:
    if job.task is not None:
        job.task.cancel()
        with suppress(asyncio.CancelledError):
            await job.task
