/** What a person is told of an error: a title by its code, and the server's own sentence. */

const TITLES = {
  bad_json: "The server did not understand this page",
  bad_message: "The server did not take this",
  unauthorized: "This server asks for a token",
  forbidden_host: "The server does not go by this name",
  forbidden_origin: "The server does not allow this page",
  not_found: "It is not there any more",
  too_slow: "This page was too slow for the server",
  idle: "The server made room after a while without news",
  wrong_state: "Not now",
  too_large: "That is too large",
  bad_prompt: "This prompt cannot be followed",
  bad_settings: "A setting is out of its range",
  bad_action: "This world has no such action",
  bad_frames: "This picture cannot be used",
  bad_snapshot: "This state cannot be restored",
  too_many_messages: "That was too fast",
  internal: "The server failed",
  server_full: "All places are taken",
  draining: "The server is going down",
  lost: "The connection was lost",
  page: "This browser could not do that",
};

/** Something that was refused or failed; `code` is one of the server's, "lost" or "page". */
export class Failure extends Error {
  constructor(code, message) {
    super(message);
    this.code = code;
  }

  /** Whatever was thrown, as a Failure. */
  static of(error) {
    return error instanceof Failure ? error : new Failure("page", String(error?.message ?? error));
  }

  get title() {
    return TITLES[this.code] ?? "Something went wrong";
  }

  /** One sentence or two, such as "All places are taken: try again in a while." */
  get sentence() {
    const text = this.message.trim();
    return text ? `${this.title}: ${text}${/[.!?]$/.test(text) ? "" : "."}` : `${this.title}.`;
  }
}
