/** A picture of a person's own, which a video can begin with. */

import { Failure } from "./errors.js";

const TAKEN = ["image/png", "image/jpeg", "image/webp", "image/gif"]; // kinds that the server reads
const MOST_PIXELS = 16e6; // larger pictures are made smaller here: the video has far fewer
const SIDE = 2048; // of a picture that is made smaller, or that only the browser can read

/**
 * Reads a file that was chosen or dropped.
 *
 * @param size of the video: `{width, height}`.
 * @param most bytes that the server takes.
 * @returns `{name, bytes, canvas}`: the file as it is sent, and what the first frame will look like.
 */
export async function readPicture(file, size, most) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Failure("bad_frames", `${file.name} is no picture that this browser can read; choose a PNG, JPEG, WebP or GIF`);
  });
  const asItIs = TAKEN.includes(file.type) && file.size <= most && bitmap.width * bitmap.height <= MOST_PIXELS;
  const sent = asItIs ? file : await shrink(bitmap);
  return { name: file.name, bytes: await sent.arrayBuffer(), canvas: cover(bitmap, size) };
}

/** Whether files are dragged, and not text that goes into a box. */
export function dragsFiles(event) {
  return [...(event.dataTransfer?.types ?? [])].includes("Files");
}

/** The file among things that are dropped, a picture if there is one; or null. */
export function draggedFile(transfer) {
  return [...transfer.files].find((file) => file.type.startsWith("image/")) ?? transfer.files[0] ?? null;
}

/** The middle of a picture, scaled to cover `size`, as a canvas. */
function cover(picture, { width, height }) {
  const scale = Math.max(width / picture.width, height / picture.height);
  const [w, h] = [picture.width * scale, picture.height * scale];
  return drawn({ width, height }, picture, (width - w) / 2, (height - h) / 2, w, h);
}

function shrink(picture) {
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const size = { width: Math.max(1, Math.round(picture.width * scale)), height: Math.max(1, Math.round(picture.height * scale)) };
  const canvas = drawn(size, picture, 0, 0, size.width, size.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
}

/** A canvas with a picture on white, which is what becomes of its transparent parts. */
function drawn(size, picture, ...place) {
  const canvas = Object.assign(document.createElement("canvas"), size);
  canvas.setAttribute("aria-hidden", "true");
  const context = canvas.getContext("2d", { alpha: false });
  context.fillStyle = "white";
  context.fillRect(0, 0, size.width, size.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(picture, ...place);
  return canvas;
}
