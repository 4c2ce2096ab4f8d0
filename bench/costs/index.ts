import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { costsPage } from "./page";

const file = join("docs", "costs.md");
writeFileSync(file, costsPage());
console.log(`written to ${file}`);
