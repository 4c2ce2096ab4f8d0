import type { Denial } from "../emulator";

/** What IAM refused, in AWS's words, and the statement that would have allowed it. */
export const denialText = ({ message, place, statement }: Denial): string =>
  statement ? `${message}\n  ${place} would need ${JSON.stringify(statement)}` : message;
