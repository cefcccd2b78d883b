"""What an agent's folder declares: ``agent.toml`` and ``RULES.json``, decoded."""
