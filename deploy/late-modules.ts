/**
 * Loaded into a program's process before Pulumi's SDK, and imported by nothing. The SDK loads npm's installer
 * (`@npmcli/arborist`, 300 files) with itself, but needs it only for functions that it packs together with their
 * node_modules: a seventh of a small deployment's time. Here it is loaded when it is first used.
 */
import { createRequire } from "node:module";

/** Seen from Pulumi's runner: the copy that its SDK finds. */
const sdk = createRequire(process.env.SENSORCAST_RUNNER ?? __filename);

function loadLate(name: string): void {
  let path: string;
  try {
    path = sdk.resolve(name);
  } catch {
    return; // A version of the SDK that does without.
  }
  let loaded: object | undefined;
  const load = (): object => {
    if (!loaded) {
      delete sdk.cache[path];
      loaded = sdk(path) as object;
    }
    return loaded;
  };
  // A function, so that it can be called and constructed as the module may be. `__esModule` and `default` are for the
  // helpers of compiled imports, which would otherwise copy all members at once.
  const stand = new Proxy(function module() {}, {
    get: (_, key) => (key === "__esModule" ? true : key === "default" ? load() : Reflect.get(load(), key)),
    apply: (_, self, args) => Reflect.apply(load() as () => unknown, self, args),
    construct: (_, args) => Reflect.construct(load() as new () => object, args),
    has: (_, key) => Reflect.has(load(), key),
  });
  sdk.cache[path] = { id: path, filename: path, loaded: true, exports: stand } as unknown as NodeModule;
}

loadLate("@npmcli/arborist");
