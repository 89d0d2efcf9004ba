"""The command `doctor` of all three programs."""

from __future__ import annotations

from typing import Annotated

import typer


def doctor(
    engine: Annotated[
        str | None, typer.Option("--engine", help="Also try this engine, such as openai:http://HOST:8000/v1.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="The model that --engine is asked for.")] = "nano",
    as_json: Annotated[bool, typer.Option("--json", help="Findings as JSON.")] = False,
) -> None:
    """What is installed, what is missing and which engine works, with the command that fixes it.

    Exit code 1 only where the base is broken.
    """
    import json

    from cogito_core.console import say
    from cogito_core.doctor.examine import examine

    checks = examine(engine, model)
    if as_json:
        say(json.dumps([check.as_dict() for check in checks], indent=2, ensure_ascii=False))
    else:
        width = max(len(check.name) for check in checks)
        for check in checks:
            say(f"{check.state:<8} {check.name:<{width}}  {check.said}")
            if check.fix and check.state != "ok":
                say(f"{'':<8} {'':<{width}}  -> {check.fix}")
    if any(check.base and check.state == "broken" for check in checks):
        raise typer.Exit(1)
