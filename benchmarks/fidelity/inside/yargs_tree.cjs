// Preloaded (node --require) into a yargs program: prints its tree as JSON (a Truth) in the moment when it would
// parse its arguments, and ends. A command has the options of its builder and those of its parents, as its help
// page has; the root has those of the default command. An option without a declared type may take a value or
// not: null. A program that brings yargs in its own bundle (not minified) is caught in yargs' own factory.
const { writeSync } = require("node:fs");
const { inject, requireFromProgram, whenMain } = require("./hook.cjs");

const dashed = (name) => (name.length === 1 ? `-${name}` : `--${name}`);

// All names of one flag: `alias` holds pairs in whatever direction they were declared.
function spellings(alias, key) {
  const names = new Set([key]);
  for (const name of names) {
    for (const [one, others] of Object.entries(alias)) {
      if (one === name || others.includes(name)) for (const other of [one, ...others]) names.add(other);
    }
  }
  return [...names];
}

function flags(instance) {
  const options = instance.getOptions();
  const positionals = new Set(instance.getGroups()["Positionals:"] ?? []);
  const typed = new Set([...options.string, ...options.number, ...options.array, ...Object.keys(options.narg)]);
  const plain = new Set([...options.boolean, ...options.count]);
  const spoken = new Set(positionals);
  const found = [];
  for (const key of Object.keys(options.key)) {
    if (spoken.has(key)) continue;
    const names = spellings(options.alias, key);
    for (const name of names) spoken.add(name);
    const any = (kind) => names.some((name) => kind.has(name));
    const choices = names.flatMap((name) => options.choices[name] ?? []).map(String);
    found.push({
      names: names.map(dashed),
      takes_value: any(plain) ? false : any(typed) || choices.length ? true : null,
      choices,
      hidden: names.some((name) => options.hiddenOptions.includes(name)),
    });
  }
  return found;
}

function built(make, builder) {
  const child = make().help(false).version(false);
  if (typeof builder === "function") builder(child);
  else child.options(builder ?? {});
  return child;
}

function* tree(make, instance, inherited, unit) {
  const { handlers, aliasMap, defaultCommand } = instance.getInternalMethods().getCommandInstance();
  const own = [...flags(instance), ...inherited];
  const more = defaultCommand ? flags(built(make, defaultCommand.builder)) : [];
  yield { ...unit, flags: [...own, ...more] };
  for (const [name, { builder, description }] of Object.entries(handlers)) {
    if (name === "$0") continue;
    const aliases = Object.keys(aliasMap).filter((alias) => aliasMap[alias] === name);
    const child = { path: [...unit.path, name], aliases, hidden: description === false };
    yield* tree(make, built(make, builder), own, child);
  }
}

function tell(make, instance) {
  writeSync(1, JSON.stringify([...tree(make, instance, [], { path: [] })]));
  process.exit(0);
}

whenMain(() => {
  const yargs = requireFromProgram("yargs");
  if (yargs) {
    const prototype = Object.getPrototypeOf(yargs([]));
    const { parse } = prototype;
    prototype.parse = function (...given) {
      // With words of its own it is a call for one of the program's tools; the command line comes without.
      return given.length ? parse.apply(this, given) : tell(() => yargs([]), this);
    };
  } else {
    inject(
      /((?:let|const) ([\w$]+) = new ([\w$]+)\(processArgs, cwd, parentRequire, ([\w$]+)\);)/g,
      "$1 $2.parse = (...given) => tell(() => new $3([], cwd, parentRequire, $4), $2);",
      tell,
    );
  }
});
