"""How a state machine is run."""

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test


def run(machine, given: dict, examples: int, steps: int, **more) -> None:
    """Runs so many examples of so many steps of a machine that has `given` as attributes; `more` are settings.

    They are the same in every run, unless `derandomize` is False.
    """
    run_state_machine_as_test(
        type("Machine", (machine,), given),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
            **more,
        ),
    )
