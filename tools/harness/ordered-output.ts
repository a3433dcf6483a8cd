/**
 * Lets several jobs print at the same time and be read one after the other: the first that has not ended is shown as
 * it prints, the others when their turn comes.
 */
export class OrderedOutput {
  readonly #jobs: Job[] = [];
  readonly #write: (text: string | Uint8Array) => void;

  constructor(write: (text: string | Uint8Array) => void) {
    this.#write = write;
  }

  /** Jobs are shown in the order in which they ask for this. */
  job(): JobOutput {
    const job: Job = { held: [], ended: false };
    this.#jobs.push(job);
    return {
      write: (text) => {
        if (this.#jobs[0] === job) this.#write(text);
        else job.held.push(text);
      },
      end: () => {
        job.ended = true;
        this.#advance();
      },
    };
  }

  #advance(): void {
    while (this.#jobs[0]?.ended) {
      this.#jobs.shift();
      for (const text of this.#jobs[0]?.held.splice(0) ?? []) this.#write(text);
    }
  }
}

export interface JobOutput {
  readonly write: (text: string | Uint8Array) => void;
  readonly end: () => void;
}

interface Job {
  readonly held: (string | Uint8Array)[];
  ended: boolean;
}
