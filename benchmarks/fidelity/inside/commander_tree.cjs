// Preloaded (node --require) into a commander program: prints its tree as JSON (a Truth) in the moment when it
// would parse its arguments, and ends. What it would add later is not in it. A program that brings commander
// in its own bundle is caught by the first statement of commander's two parse methods.
const { writeSync } = require("node:fs");
const { inject, requireFromProgram, whenMain } = require("./hook.cjs");

function flag(option) {
  return {
    names: option.flags.split(/[ ,|]+/).filter((word) => word.startsWith("-")),
    takes_value: Boolean(option.required || option.optional),
    choices: option.argChoices ?? [],
    hidden: Boolean(option.hidden),
  };
}

function* tree(command, path) {
  const help = command._getHelpOption?.() ?? (command._hasHelpOption ? { flags: command._helpFlags } : null);
  const flags = [...command.options, ...(help ? [help] : [])].map(flag);
  yield { path, aliases: path.length ? command.aliases() : [], hidden: Boolean(command._hidden), flags };
  for (const child of command.commands) yield* tree(child, [...path, child.name()]);
}

function tell(command) {
  while (command.parent) command = command.parent;
  writeSync(1, JSON.stringify([...tree(command, [])]));
  process.exit(0);
}

whenMain(() => {
  const commander = requireFromProgram("commander");
  if (commander) {
    commander.Command.prototype.parse = commander.Command.prototype.parseAsync = function () {
      tell(this);
    };
  } else {
    inject(/(\bparse(?:Async)?\([\w$]+, ?[\w$]+\) ?\{)(?=\s*(?:let|const) [\w$]+ ?= ?this\._prepareUserArgs\()/g, "$1tell(this);", tell);
  }
});
