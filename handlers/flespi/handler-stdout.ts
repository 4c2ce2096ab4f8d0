import type { MakeHandler } from "./handler";

/** Prints each message as a line of JSON. */
export const toStdout: MakeHandler = () => ({
  async handle(messages) {
    const text = messages.map(({ json }) => `${json}\n`).join("");
    // Handled when it is written: a reader that is slow, or gone, must hold the cursor up.
    await new Promise<void>((resolve, reject) => {
      process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
    });
  },
});
