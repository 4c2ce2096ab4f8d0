import type { BackendNote } from "../backend";
import { embeddedOnly } from "./embedded-only";
import { type Gap, isFor } from "./gap";
import { localStackPaid } from "./localstack";
import { ministackGaps } from "./ministack";

type Backend = Pick<BackendNote, "name" | "paid">;

/** What a backend cannot do, beside what only the embedded AWS has. */
function own({ name, paid }: Backend): readonly Gap[] {
  switch (name) {
    case "ministack":
      return ministackGaps;
    case "localstack":
      return paid ? [] : localStackPaid;
    case "endpoint":
      return [];
  }
}

export const gapsOf = (backend: Backend): readonly Gap[] => [...embeddedOnly, ...own(backend)];

/** Why a test does not run on a backend; undefined where it does. */
export const whyNot = (backend: Backend, name: string): string | undefined =>
  gapsOf(backend).find(({ tests }) => tests.some((pattern) => isFor(pattern, name)))?.lacks;
