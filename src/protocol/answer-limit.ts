/**
 * How long the server of a device may take to answer a request. Whoever asks waits for longer, and so hears from the server why
 * it took too long.
 */
export const ANSWER_SECONDS = 30;
