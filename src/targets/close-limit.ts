/** How long a target may take to store what it holds when its device goes. Whoever waits for a device to go waits for longer. */
export const CLOSE_SECONDS = 30;
