// What the two preloads share: the program's own copy of a package, or a function of ours inside its bundle.
const { realpathSync } = require("node:fs");
const { createRequire, register } = require("node:module");
const { isMainThread } = require("node:worker_threads");

// The thread of the module hooks preloads this too, and has no program.
exports.whenMain = (act) => isMainThread && act();

// The package as the program itself would load it, or null where the program is one bundle.
exports.requireFromProgram = (name) => {
  try {
    return createRequire(realpathSync(process.argv[1]))(name);
  } catch (error) {
    if (error.code === "MODULE_NOT_FOUND") return null;
    throw error;
  }
};

// Replaces a pattern in every ES module that is loaded from now on; `tell` is known there by its name.
exports.inject = (pattern, replacement, tell) => {
  globalThis.tell = tell;
  const hooks = `
    export async function load(url, context, next) {
      const loaded = await next(url, context);
      if (loaded.format !== "module" || loaded.source == null) return loaded;
      const text = new TextDecoder().decode(loaded.source);
      return { ...loaded, source: text.replace(${pattern}, ${JSON.stringify(replacement)}) };
    }`;
  register(`data:text/javascript,${encodeURIComponent(hooks)}`);
};
