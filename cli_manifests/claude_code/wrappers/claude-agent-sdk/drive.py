"""Drive the SDK through every option of ClaudeAgentOptions, one call of the CLI for each and for each of its forms."""

from __future__ import annotations

import asyncio
import os
import pwd
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from claude_agent_sdk import (
    AgentDefinition,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    HookMatcher,
    InMemorySessionStore,
    PermissionResultAllow,
    create_sdk_mcp_server,
    query,
)

STAND_IN = os.environ["CLI_PARITY_STAND_IN"]
SESSION = "00000000-0000-4000-8000-000000000000"


async def _allow(*_arguments: object) -> PermissionResultAllow:
    return PermissionResultAllow()


async def _nothing(*_arguments: object) -> dict[str, Any]:
    return {}


def _ignore(_line: str) -> None:
    pass


# Name of the call, and what it sets. An option with several forms has a call for each.
CALLS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "add-dirs": {"add_dirs": ["one", Path("two")]},
    "agents": {"agents": {"a": AgentDefinition(description="d", prompt="p")}},
    "allowed-tools": {"allowed_tools": ["Read", "Edit"]},
    "betas": {"betas": ["context-1m-2025-08-07"]},
    "can-use-tool": {"can_use_tool": _allow},
    "cli-path": {"cli_path": STAND_IN},
    "client-app": {"client_app": "app/1"},
    "continue": {"continue_conversation": True},
    "cwd": {"cwd": "."},
    "debug-stderr": {"debug_stderr": None},
    "disallowed-tools": {"disallowed_tools": ["Bash"]},
    "effort": {"effort": "high"},
    "env": {"env": {"NAME": "value"}},
    "extra-args": {"extra_args": {"parity-probe": None, "parity-probe-value": "value", "parity-probe-dash": "-x"}},
    "fallback-model": {"fallback_model": "other"},
    "file-checkpointing": {"enable_file_checkpointing": True},
    "fork-session": {"fork_session": True},
    "forward-subagent-text": {"forward_subagent_text": True},
    "hook-events": {"include_hook_events": True},
    "hooks": {"hooks": {"PreToolUse": [HookMatcher(hooks=[_nothing])]}},
    "max-buffer-size": {"max_buffer_size": 4096},
    "max-budget": {"max_budget_usd": 1.5},
    "max-thinking-tokens": {"max_thinking_tokens": 1000},
    "max-turns": {"max_turns": 3},
    "mcp-servers": {"mcp_servers": {"s": {"type": "stdio", "command": "true"}, "in": create_sdk_mcp_server("in")}},
    "mcp-servers-file": {"mcp_servers": "servers.json"},
    "model": {"model": "some"},
    "output-format": {"output_format": {"type": "json_schema", "schema": {"type": "object"}}},
    "partial-messages": {"include_partial_messages": True},
    "permission-mode": {"permission_mode": "plan"},
    "permission-prompt-tool": {"permission_prompt_tool_name": "tool"},
    "plugins": {"plugins": [{"type": "local", "path": "plugin"}]},
    "resume": {"resume": SESSION},
    "resume-drops-turn": {"resume": SESSION, "resume_drops_turn": SESSION},
    "resume-session-at": {"resume": SESSION, "resume_session_at": SESSION},
    "sandbox": {"sandbox": {"enabled": True}},
    "session-id": {"session_id": SESSION},
    "session-store": {"session_store": InMemorySessionStore()},
    "session-store-flush": {"session_store": InMemorySessionStore(), "session_store_flush": "eager"},
    "session-store-timeout": {"session_store": InMemorySessionStore(), "load_timeout_ms": 1000},
    "setting-sources": {"setting_sources": ["user", "project"]},
    "settings": {"settings": "settings.json"},
    "skills": {"skills": ["one"]},
    "skills-all": {"skills": "all"},
    "stderr": {"stderr": _ignore},
    "strict-mcp-config": {"strict_mcp_config": True},
    "system-prompt": {"system_prompt": "text"},
    "system-prompt-custom": {"system_prompt": {"type": "custom", "prompt": "text"}},
    "system-prompt-file": {"system_prompt": {"type": "file", "path": "prompt.md"}},
    "system-prompt-preset": {"system_prompt": {"type": "preset", "preset": "claude_code", "append": "text"}},
    "task-budget": {"task_budget": {"total": 1000}},
    "thinking-adaptive": {"thinking": {"type": "adaptive", "display": "summarized"}},
    "thinking-disabled": {"thinking": {"type": "disabled"}},
    "thinking-enabled": {"thinking": {"type": "enabled", "budget_tokens": 1000, "display": "omitted"}},
    "tools": {"tools": ["Read"]},
    "tools-none": {"tools": []},
    "tools-preset": {"tools": {"type": "preset", "preset": "claude_code"}},
    "user": {"user": pwd.getpwuid(os.getuid()).pw_name},
    "verbatim-prompts": {"verbatim_prompts": True},
}


async def _prompt() -> AsyncIterator[dict[str, Any]]:
    message = {"role": "user", "content": "hello"}
    yield {"type": "user", "session_id": "", "message": message, "parent_tool_use_id": None}


def _announce(name: str, options: dict[str, Any]) -> None:
    os.environ["CLI_PARITY_CALL"] = name
    os.environ["CLI_PARITY_OPTIONS"] = " ".join(options)
    os.environ["CLI_PARITY_EXTRA"] = " ".join(f"--{flag}" for flag in options.get("extra_args", {}))


async def main() -> None:
    for name, options in CALLS.items():
        _announce(name, options)
        # A callback for permissions takes prompts as a stream only.
        prompt = _prompt() if "can_use_tool" in options else "hello"
        async for _ in query(prompt=prompt, options=ClaudeAgentOptions(**{"cli_path": STAND_IN, **options})):
            pass
    _announce("client", {})
    async with ClaudeSDKClient(ClaudeAgentOptions(cli_path=STAND_IN)) as client:
        await client.query("hello")
        async for _ in client.receive_response():
            pass


asyncio.run(main())
