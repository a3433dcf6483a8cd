/**
 * One submission entry (struct io_uring_sqe), whose fields are set by name. A submission queue has one object of this
 * class and points it at each entry in turn (`SubmissionQueue.begin`), so that filling an entry allocates nothing. The
 * fields that every entry has are given when it begins. All others are zero then, and only those that are not zero need
 * to be set.
 *
 * `| 0` at every store tells the JIT that the word is an int32, which takes one check. Without it, a store converts the
 * word through a double, which takes 18 instructions (counted in the code that V8 makes).
 */
import {
  SQE_WORD_ADDR_HI,
  SQE_WORD_ADDR_LO,
  SQE_WORD_BUF_INDEX,
  SQE_WORD_CMD,
  SQE_WORD_CMD_OP,
  SQE_WORD_FD,
  SQE_WORD_LEN,
  SQE_WORD_OFF_HI,
  SQE_WORD_OFF_LO,
  SQE_WORD_OP_FLAGS,
  SQE_WORD_OPCODE,
  SQE_WORD_USER_DATA_HI,
  SQE_WORD_USER_DATA_LO,
} from '../uapi/io-uring-words.ts';

export class SubmissionEntry {
  private readonly words: Int32Array;
  /** The same memory as 64-bit words, of which an entry of 64 bytes has eight. */
  private readonly pairs: Float64Array;
  /** The index of the entry's first word. */
  private at = 0;

  /** `words` are those of all entries. */
  constructor(words: Int32Array) {
    this.words = words;
    this.pairs = new Float64Array(words.buffer, words.byteOffset, words.length >> 1);
  }

  /** Begins the entry at word `at`. SubmissionQueue.begin says what the other values are. */
  begin(at: number, opcode: number, fd: number, userData: number): void {
    const { words, pairs } = this;
    const pair = at >> 1;
    words[at + SQE_WORD_OPCODE] = opcode | 0;
    words[at + SQE_WORD_FD] = fd | 0;
    pairs[pair + 1] = 0;
    pairs[pair + 2] = 0;
    pairs[pair + 3] = 0;
    words[at + SQE_WORD_USER_DATA_LO] = userData | 0;
    words[at + SQE_WORD_USER_DATA_HI] = 0;
    pairs[pair + 5] = 0;
    pairs[pair + 6] = 0;
    pairs[pair + 7] = 0;
    this.at = at;
  }

  /** The low word of a position in a file; `offHi` is the high word. */
  set offLo(value: number) {
    this.words[this.at + SQE_WORD_OFF_LO] = value | 0;
  }

  set offHi(value: number) {
    this.words[this.at + SQE_WORD_OFF_HI] = value | 0;
  }

  /** The command of an IORING_OP_URING_CMD. */
  set cmdOp(value: number) {
    this.words[this.at + SQE_WORD_CMD_OP] = value | 0;
  }

  /** The low word of an address; `addrHi` is the high word. */
  set addrLo(value: number) {
    this.words[this.at + SQE_WORD_ADDR_LO] = value | 0;
  }

  set addrHi(value: number) {
    this.words[this.at + SQE_WORD_ADDR_HI] = value | 0;
  }

  set len(value: number) {
    this.words[this.at + SQE_WORD_LEN] = value | 0;
  }

  /** The flags of the operation: rw_flags, fsync_flags, uring_cmd_flags and so on. */
  set opFlags(value: number) {
    this.words[this.at + SQE_WORD_OP_FLAGS] = value | 0;
  }

  /** The registered buffer of a *_FIXED operation, or the buffer group of a multishot command. */
  set bufIndex(value: number) {
    this.words[this.at + SQE_WORD_BUF_INDEX] = value | 0;
  }

  /** The first of the four words of a command. */
  set cmd0(value: number) {
    this.words[this.at + SQE_WORD_CMD] = value | 0;
  }

  set cmd1(value: number) {
    this.words[this.at + SQE_WORD_CMD + 1] = value | 0;
  }

  set cmd2(value: number) {
    this.words[this.at + SQE_WORD_CMD + 2] = value | 0;
  }

  set cmd3(value: number) {
    this.words[this.at + SQE_WORD_CMD + 3] = value | 0;
  }
}
