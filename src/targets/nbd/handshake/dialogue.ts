/**
 * A dialogue is the negotiation of a protocol, written as a generator. It yields the bytes to send and the number of
 * bytes that it needs before it goes on, and it returns the result. It has no socket: the owner of the socket drives it
 * with a Conversation.
 */

export interface Turn {
  /** Bytes to send before anything is received. */
  readonly send: Uint8Array | null;
  /** How many bytes the dialogue gets next. */
  readonly want: number;
}

export type Dialogue<T> = Generator<Turn, T, Uint8Array>;

/** Receives exactly `want` bytes. */
export function* receive(want: number): Dialogue<Uint8Array> {
  return want === 0 ? NOTHING : yield { send: null, want };
}

/** Sends bytes and goes on without an answer. */
export function* send(bytes: Uint8Array): Dialogue<void> {
  yield { send: bytes, want: 0 };
}

const NOTHING = new Uint8Array(0);

/** Drives a dialogue with bytes that come in pieces of any length. What the dialogue throws, `start` and `receive` throw. */
export class Conversation<T> {
  readonly #dialogue: Dialogue<T>;
  #want = 0;
  #come: Uint8Array = NOTHING;
  #result: { readonly value: T } | undefined;

  constructor(dialogue: Dialogue<T>) {
    this.#dialogue = dialogue;
  }

  /** The result, once there is one. */
  get result(): { readonly value: T } | undefined {
    return this.#result;
  }

  /** How many bytes have come that the dialogue has not asked for. */
  get surplus(): number {
    return this.#come.length;
  }

  /** Begins. Returns what is to be sent. */
  start(): Uint8Array {
    return this.#advance(this.#dialogue.next());
  }

  /** Takes what has come. Returns what is to be sent. */
  receive(bytes: Uint8Array): Uint8Array {
    this.#come = Buffer.concat([this.#come, bytes]);
    return this.#resume();
  }

  #resume(): Uint8Array {
    if (this.#result !== undefined || this.#come.length < this.#want) return NOTHING;
    return this.#advance(this.#dialogue.next(this.#take(this.#want)));
  }

  #advance(first: IteratorResult<Turn, T>): Uint8Array {
    const out: Uint8Array[] = [];
    let step = first;
    while (step.done !== true) {
      const { send, want } = step.value;
      if (send !== null) out.push(send);
      this.#want = want;
      if (this.#come.length < want) return Buffer.concat(out);
      step = this.#dialogue.next(this.#take(want));
    }
    this.#result = { value: step.value };
    return Buffer.concat(out);
  }

  #take(length: number): Uint8Array {
    const taken = this.#come.subarray(0, length);
    this.#come = this.#come.subarray(length);
    return taken;
  }
}
