"""Videos by HTTP: as jobs, in the dialect of OpenAI, vLLM-Omni and FastVideo, and at once."""

import json
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse
from pydantic import ValidationError
from starlette.datastructures import UploadFile

from ..protocol.bodies import JobDeleted, JobList, JobReply, JobRequest, ModelList, ModelReply, VideoRequest
from ..protocol.errors import ServeError
from .jobs import Jobs
from .rendering import render
from .service import Service

MEDIA_TYPES = {
    "mp4": "video/mp4",
    "mkv": "video/x-matroska",
    "webp": "image/webp",
    "png": "image/png",
    "gif": "image/gif",
    "fct": "application/octet-stream",
}
_PICTURE = "input_reference"
_FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")
_JOB = {
    "requestBody": {
        "required": True,
        "content": {kind: {"schema": JobRequest.model_json_schema()} for kind in ("application/json", "multipart/form-data")},
    }
}


def add_videos(router: APIRouter, service: Service, jobs: Jobs) -> None:
    """The routes of videos and of the model that makes them."""
    started = int(time.time())

    @router.get("/v1/models", summary="The model that is served")
    async def models() -> ModelList:
        return ModelList(data=[ModelReply(id=service.generator.name, created=started)])

    @router.get("/v1/models/{id}", summary="The model that is served")
    async def model(id: str) -> ModelReply:
        if id != service.generator.name:
            raise ServeError("not_found", f"got the model {id[:100]!r}; wanted {service.generator.name}, the only one here")
        return ModelReply(id=id, created=started)

    @router.post("/v1/videos", summary="A video as a job; `input_reference` may be a picture in a form", openapi_extra=_JOB)
    async def create(request: Request) -> JobReply:
        return jobs.create(*await _wanted(request))

    @router.get("/v1/videos", summary="Videos that were asked for, the newest first")
    async def listing(limit: Annotated[int, Query(ge=1, le=100)] = 20, after: str | None = None) -> JobList:
        replies, more = jobs.newest(limit, after)
        first, last = (replies[0].id, replies[-1].id) if replies else (None, None)
        return JobList(data=replies, first_id=first, last_id=last, has_more=more)

    @router.post("/v1/videos/sync", summary="A finished video", response_class=Response)
    async def sync(request: Request, wanted: VideoRequest) -> Response:
        data = await _make_video(service, request, wanted)
        name = f"framecast-{wanted.seed}.{wanted.format}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Framecast-Seed": str(wanted.seed)}
        return Response(data, media_type=MEDIA_TYPES[wanted.format], headers=headers)

    @router.get("/v1/videos/{id}", summary="How a video stands")
    async def status(id: str) -> JobReply:
        return jobs.find(id).reply

    @router.get("/v1/videos/{id}/content", summary="The mp4 of a video", response_class=FileResponse)
    async def content(id: str) -> FileResponse:
        job = jobs.find(id)
        if job.reply.error is not None:
            raise ServeError("wrong_state", f"the video failed: {job.reply.error.message}")
        if job.unfinished:
            raise ServeError("wrong_state", f"the video is {job.reply.status}, {job.reply.progress} %; ask until it is completed")
        return FileResponse(job.path, media_type=MEDIA_TYPES["mp4"], filename=f"{id}.mp4")

    @router.delete("/v1/videos/{id}", summary="Ends the making of a video, or throws it away")
    async def delete(id: str) -> JobDeleted:
        await jobs.delete(id)
        return JobDeleted(id=id)


async def _wanted(request: Request) -> tuple[JobRequest, bytes | None]:
    """A job as JSON or as a form, and the picture that a form may bring.

    Raises:
        ServeError: It is neither, or a field is wrong.
    """
    picture = None
    if request.headers.get("content-type", "").startswith(_FORMS):
        async with request.form(max_files=1, max_fields=50) as form:
            values: Any = {name: value for name, value in form.multi_items() if not isinstance(value, UploadFile)}
            for name, value in form.multi_items():
                if isinstance(value, UploadFile):
                    picture = await _picture(name, value)
    else:
        try:
            values = json.loads(await request.body())
        except ValueError as error:
            raise ServeError("bad_json", f"got a body that is no JSON: {error}; wanted a job as JSON or as a form") from error
    try:
        return JobRequest.model_validate(values), picture
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(str(part) for part in problem["loc"]) or "the body"
        raise ServeError("bad_message", f"got a job with a problem at {place}: {problem['msg']}; see /openapi.json") from error


async def _picture(name: str, file: UploadFile) -> bytes:
    if name != _PICTURE:
        raise ServeError("bad_message", f"got the file {name[:100]!r}; wanted {_PICTURE}, a picture to go on from")
    return await file.read()


async def _make_video(service: Service, request: Request, wanted: VideoRequest) -> bytes:
    """A video; its making stops within a latent frame of the client's leaving."""

    async def leave_with_client(index: int) -> None:
        if await request.is_disconnected():
            raise ServeError("idle", "the client has gone")

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"video.{wanted.format}"
        await render(service, wanted, wanted.num_frames, path, leave_with_client)
        return path.read_bytes()
