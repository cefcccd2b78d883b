// Reads help pages with npm's parse-help: node parse_help.mjs INDEX.js PAGES.json -> flags by page, as JSON.
import { readFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [index, pages] = process.argv.slice(2);
const { default: parseHelp } = await import(pathToFileURL(index));
const dashed = (name) => (name.length === 1 ? `-${name}` : `--${name}`);

const found = JSON.parse(readFileSync(pages, "utf8")).map(([path, text]) => [
  path,
  Object.entries(parseHelp(text).flags).map(([name, { alias }]) => ({
    names: [name, ...(alias ? [alias] : [])].map(dashed),
    takes_value: null,
    choices: null,
  })),
]);
writeSync(1, JSON.stringify(found));
