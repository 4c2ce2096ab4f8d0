import * as pulumi from "@pulumi/pulumi";
import * as esbuild from "esbuild";
import { keepBundle, keptBundle } from "./bundle-cache";

const settings = {
  bundle: true,
  platform: "node",
  target: "node24",
  format: "cjs",
  minify: true,
  legalComments: "none",
  logLevel: "silent",
} as const satisfies esbuild.BuildOptions;

/** What esbuild calls the text. No file: a program's own index.js, say, is not part of a function, and changes often. */
const textName = "<function>";

/**
 * Puts the text and the modules that it requires, found from the program's directory, into one CommonJS file. `what`
 * names the function in errors.
 */
export async function bundle(text: string, what: string): Promise<string> {
  const directory = process.cwd();
  const key = [esbuild.version, JSON.stringify(settings), directory, text];
  const kept = await keptBundle(directory, key);
  if (kept !== undefined) return kept;
  try {
    const { outputFiles, metafile } = await esbuild.build({
      ...settings,
      stdin: { contents: text, resolveDir: directory, sourcefile: textName, loader: "js" },
      absWorkingDir: directory,
      metafile: true,
      write: false,
    });
    const code = outputFiles[0]!.text;
    const inputs = Object.keys(metafile.inputs).filter((file) => file !== textName);
    await keepBundle(directory, key, { code, inputs });
    return code;
  } catch (error) {
    const { errors = [] } = error as Partial<esbuild.BuildFailure>;
    const reasons = errors.map(({ text: reason }) => reason).join("; ") || String(error);
    throw new pulumi.RunError(
      `${what} cannot be bundled: ${reasons}. Install the modules that it uses in the program's own project.`,
    );
  }
}
