/** One WebSocket of the protocol: questions with their answers, and packets with frames. */

import { greet, token } from "./api.js";
import { Failure } from "./errors.js";

const SUBPROTOCOL = "framecast.v1";
const HEADER_BYTES = 20;
const CONTROL_BYTES = 16;
const WITH_CONTROL = 128; // in the kind of a packet
const SNAPSHOT = 5;
const RESTART = [1001, 1012]; // what a server that goes down closes WebSockets with

export class Connection {
  #socket;
  #answers = new Map();
  #lastId = 0;
  #closed = false;
  #fatal = null;
  #onsnapshot = () => {};

  /** Called with each frame: `{kind, index, latent, payload, control}`; `control` is `{id, clock}` or null. */
  onpacket = () => {};
  /** Called with each message that answers no question. */
  onmessage = () => {};
  /** Called once if the connection ends and `close` was not called, with a Failure that says why. */
  onlost = () => {};

  /** A connection that the server has greeted; rejects with a Failure. */
  static async open() {
    const connection = new Connection();
    await connection.#connect().catch(async (error) => {
      await greet(); // says what a refused WebSocket cannot
      throw error;
    });
    return connection;
  }

  get isOpen() {
    return !this.#closed;
  }

  /** Sends a message, and bytes that belong to it; resolves to its answer, or rejects with a Failure if it is refused. */
  ask(message, bytes) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (this.#closed) reject(new Failure("lost", "connect again"));
      this.#answers.set(id, { resolve, reject });
      this.send({ ...message, id });
      if (bytes) this.#socket.send(bytes);
    });
  }

  /** Sends a message whose answer, if one comes, is no answer to wait for; returns its id. */
  tell(message) {
    const id = ++this.#lastId;
    this.send({ ...message, id });
    return id;
  }

  /** Sends a message that has no answer. */
  send(message) {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Asks for all of the stream as bytes. */
  async snapshot() {
    const bytes = new Promise((resolve) => (this.#onsnapshot = resolve));
    await this.ask({ type: "snapshot" });
    return bytes;
  }

  close() {
    this.#closed = true;
    this.#socket.close();
  }

  #connect() {
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const protocols = token() === null ? [SUBPROTOCOL] : [SUBPROTOCOL, `bearer.${token()}`];
    this.#socket = new WebSocket(`${scheme}//${location.host}/v1/stream`, protocols);
    this.#socket.binaryType = "arraybuffer";
    return new Promise((resolve, reject) => {
      this.#socket.onmessage = () => {
        this.#socket.onmessage = (event) => this.#receive(event.data);
        resolve();
      };
      this.#socket.onclose = (event) => {
        this.#end(event.code);
        reject(new Failure("lost", "the server does not take connections now; try again"));
      };
    });
  }

  #receive(data) {
    if (data instanceof ArrayBuffer) {
      const packet = unpack(data);
      if (packet.kind === SNAPSHOT) this.#onsnapshot(packet.payload);
      else this.onpacket(packet);
      return;
    }
    const message = JSON.parse(data);
    const answer = this.#answers.get(message.reply_to);
    if (message.type === "error" && message.fatal) this.#fatal = new Failure(message.code, message.message);
    if (answer === undefined) {
      this.onmessage(message);
      return;
    }
    this.#answers.delete(message.reply_to);
    if (message.type === "error") answer.reject(new Failure(message.code, message.message));
    else answer.resolve(message);
  }

  #end(code) {
    const lost = RESTART.includes(code)
      ? new Failure("draining", "connect again later")
      : new Failure("lost", "the server may be down, or the network");
    const failure = this.#fatal ?? lost;
    for (const answer of this.#answers.values()) answer.reject(failure);
    this.#answers.clear();
    if (!this.#closed) {
      this.#closed = true;
      this.onlost(failure);
    }
  }
}

/** A binary message: "FC", version, kind, index, latent index, time in microseconds, perhaps a control; then the frame. */
function unpack(data) {
  const view = new DataView(data);
  const kind = view.getUint8(3);
  const follows = (kind & WITH_CONTROL) !== 0;
  const start = HEADER_BYTES + (follows ? CONTROL_BYTES : 0);
  const id = () => view.getUint32(HEADER_BYTES, true) + 2 ** 32 * view.getUint32(HEADER_BYTES + 4, true);
  return {
    kind: kind & ~WITH_CONTROL,
    index: view.getUint32(4, true),
    latent: view.getUint32(8, true),
    payload: new Uint8Array(data, start),
    control: follows ? { id: id(), clock: view.getFloat64(HEADER_BYTES + 8, true) } : null,
  };
}
