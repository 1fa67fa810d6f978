"""Records a run as Dagster's daemon does, and prints the command of its process as JSON.

Run in a project with the name of a job and the tags of the run. `dagster job execute` does both,
but loads the definitions five times.
"""

import json
import sys
import time

import dagster as dg
from dagster._core.definitions.reconstruct import ReconstructableRepository
from dagster._grpc.types import ExecuteRunArgs


def main(name: str, tags: str) -> None:
    """Record the run; the definitions are loaded before, as in the daemon's code server."""
    repository = ReconstructableRepository.for_module("analytics_assets.definitions", "definitions")
    job = repository.get_reconstructable_job(name)
    definition = job.get_definition()
    with dg.DagsterInstance.get() as instance:
        began = time.process_time()
        run = instance.create_run_for_job(
            definition, tags=json.loads(tags), job_code_origin=job.get_python_origin()
        )
        cpu_seconds = time.process_time() - began
        process = ExecuteRunArgs(
            job_origin=job.get_python_origin(),
            run_id=run.run_id,
            instance_ref=instance.get_ref(),
            set_exit_code_on_failure=True,
        )
    _, *command = process.get_command_args()  # its first part is Dagster's own command
    sys.stdout.write(json.dumps({"cpu_seconds": cpu_seconds, "command": command}))


if __name__ == "__main__":
    main(*sys.argv[1:])
