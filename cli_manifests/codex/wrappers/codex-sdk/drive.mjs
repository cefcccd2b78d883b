// Drive the SDK through every option of CodexOptions, ThreadOptions and TurnOptions, one call of the CLI for each.
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const { Codex } = await import(pathToFileURL(join(process.argv[2], "dist", "index.js")));
const codexPathOverride = process.env.CLI_PARITY_STAND_IN;

// Name of the call, and the options of the client, of the thread and of the turn that it sets.
const calls = {
  defaults: [],
  "api-key": [{ apiKey: "key" }],
  "base-url": [{ baseUrl: "http://localhost" }],
  "codex-path": [{ codexPathOverride }],
  config: [{ config: { a: { b: 1 } } }],
  "config-overrides": [{ configOverrides: ["a.b=1"] }],
  env: [{ env: process.env }],
  "additional-directories": [{}, { additionalDirectories: ["one", "two"] }],
  "approval-policy": [{}, { approvalPolicy: "never" }],
  model: [{}, { model: "some" }],
  "network-access": [{}, { networkAccessEnabled: true }],
  "reasoning-effort": [{}, { modelReasoningEffort: "high" }],
  sandbox: [{}, { sandboxMode: "read-only" }],
  "skip-git-repo-check": [{}, { skipGitRepoCheck: true }],
  "thread-source": [{}, { threadSource: "source" }],
  "web-search": [{}, { webSearchEnabled: true }],
  "web-search-off": [{}, { webSearchEnabled: false }],
  "web-search-mode": [{}, { webSearchMode: "cached" }],
  "working-directory": [{}, { workingDirectory: "." }],
  "cyber-access": [{}, {}, { cyberAccessProgram: "program" }],
  "output-schema": [{}, {}, { outputSchema: { type: "object" } }],
  signal: [{}, {}, { signal: new AbortController().signal }],
};

function announce(name, ...options) {
  process.env.CLI_PARITY_CALL = name;
  process.env.CLI_PARITY_OPTIONS = options.flatMap(Object.keys).join(" ");
}

for (const [name, [client = {}, thread = {}, turn = {}]] of Object.entries(calls)) {
  announce(name, client, thread, turn);
  await new Codex({ codexPathOverride, ...client }).startThread(thread).run("hello", turn);
}

announce("resume");
await new Codex({ codexPathOverride }).resumeThread("00000000-0000-4000-8000-000000000000").run("hello");

announce("images");
const input = [{ type: "text", text: "hello" }, { type: "local_image", path: "one.png" }];
await new Codex({ codexPathOverride }).startThread().run(input);

announce("streamed");
const { events } = await new Codex({ codexPathOverride }).startThread().runStreamed("hello");
for await (const _event of events);
