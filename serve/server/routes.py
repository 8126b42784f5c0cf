"""What the server answers by HTTP: finished videos, streams for players, health, metrics, schema."""

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse, StreamingResponse
from starlette.background import BackgroundTask
from torch import Tensor

from ..engine.notes import known_words
from ..protocol import messages
from ..protocol.bodies import Info, PromptReply, PromptRequest, StreamReply, StreamRequest, WordsReply
from ..protocol.errors import ServeError
from ..protocol.script import check_prompt
from .action_log import action_lines
from .jobs import Jobs
from .recording import Recording, read_recording
from .service import Service
from .video_routes import MEDIA_TYPES, add_videos

Frames = Annotated[int | None, Query(ge=1, description="only so many; a token file holds whole latent frames")]


def make_router(service: Service, jobs: Jobs) -> APIRouter:
    """The routes of a service, and of the videos that it makes as jobs."""
    router = APIRouter()

    @router.get("/healthz", summary="Whether the server lives and takes sessions")
    async def health() -> JSONResponse:
        well = service.engine.is_alive and not service.draining
        state = "ok" if well else "draining" if service.draining else "failed"
        return JSONResponse({"status": state, "sessions": service.taken, "places": service.config.capacity}, 200 if well else 503)

    @router.get("/metrics", summary="Figures for Prometheus")
    async def metrics() -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @router.get("/v1/info", summary="Who serves, what it allows, and what can be done", response_model_exclude_none=True)
    async def info() -> Info:
        return service.info()

    @router.get("/v1/words", summary="The words that the model knows")
    async def words() -> WordsReply:
        return WordsReply(words=known_words(service.generator))

    @router.get("/v1/schema.json", summary="JSON schemas of the WebSocket's messages")
    async def schema() -> JSONResponse:
        return JSONResponse(messages.json_schema())

    @router.post("/v1/videos/decode", summary="The video of a token file, which is the body", response_class=FileResponse)
    async def decode(request: Request) -> FileResponse:
        recording = await asyncio.to_thread(read_recording, await request.body(), service.generator.codec)
        return await save_video(service, request, recording, "mp4", None)

    add_videos(router, service, jobs)
    _add_streams(router, service)
    return router


def _add_streams(router: APIRouter, service: Service) -> None:
    """The routes of streams that players show."""

    @router.post("/v1/streams", summary="A stream for players", status_code=201)
    async def create(wanted: StreamRequest) -> StreamReply:
        live = await service.start(wanted, wanted.max_frames)
        await service.broadcast(live)
        return StreamReply(id=live.id, video=f"/v1/streams/{live.id}.mp4")

    @router.get("/v1/streams/{id}.mp4", summary="A stream as fragmented mp4, from now on", response_class=StreamingResponse)
    async def watch(id: str) -> StreamingResponse:
        live = await service.reach(id)
        return StreamingResponse(live.fragments(), media_type="video/mp4", headers={"Cache-Control": "no-store"})

    @router.get("/v1/streams/{id}/video.{format}", summary="A stream so far, as a file", response_class=FileResponse)
    async def save(request: Request, id: str, format: Literal["mp4", "fct"], frames: Frames = None) -> FileResponse:
        return await save_video(service, request, await service.record(id), format, frames)

    @router.get("/v1/streams/{id}/actions.ndjson", summary="What was done in a stream so far", response_class=Response)
    async def actions(id: str, frames: Frames = None) -> Response:
        recording = await service.record(id)
        recording = recording if frames is None else recording.first(frames)
        lines = await asyncio.to_thread(lambda: "".join(action_lines(recording)))
        headers = {"Content-Disposition": f'attachment; filename="framecast-{recording.seed}.ndjson"'}
        return Response(lines, media_type="application/x-ndjson", headers=headers)

    @router.post("/v1/streams/{id}/prompt", summary="Steers a stream")
    async def steer(id: str, wanted: PromptRequest) -> PromptReply:
        check_prompt(wanted.prompt, service.config.max_prompt)
        frame, prompt = await (await service.reach(id)).set_prompt(wanted.prompt)
        return PromptReply(frame=frame, prompt=prompt)

    @router.delete("/v1/streams/{id}", summary="Ends a stream", status_code=204)
    async def delete(id: str) -> None:
        await (await service.reach(id)).close(drop=True)


async def save_video(service: Service, request: Request, recording: Recording, format: str, frames: int | None) -> FileResponse:
    """A file of what a stream has made; stops soon after the client's leaving.

    Raises:
        ServeError: There is nothing yet.
    """
    if not recording.num_frames:
        raise ServeError("wrong_state", "got a stream without a frame to save; wait until one is made")
    if frames is not None:
        recording = recording.first(frames)

    async def run(work: Callable[[], Tensor | None]) -> Tensor | None:
        if await request.is_disconnected():
            raise ServeError("idle", "the client has gone")
        return await service.engine.run(work)

    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / f"video.{format}"
    try:
        async with service.saving if format == "mp4" else nullcontext():
            await recording.write(path, recording.decode(run))
    except BaseException:
        folder.cleanup()
        raise
    name = f"framecast-{recording.seed}.{format}"
    return FileResponse(path, media_type=MEDIA_TYPES[format], filename=name, background=BackgroundTask(folder.cleanup))
