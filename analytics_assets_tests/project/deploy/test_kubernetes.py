"""Values of Helm's chart and `dagster_cloud.yaml`, by the schemas of Dagster's packages."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config
from dagster_aws.s3.compute_log_manager import S3ComputeLogManager
from dagster_celery_k8s.launcher import CeleryK8sRunLauncher
from dagster_cloud_cli.config.models import load_dagster_cloud_yaml
from dagster_k8s import K8sRunLauncher
from dagster_k8s.container_context import K8sContainerContext

from analytics_assets_tests.project.deploy.files import (
    DEPLOY,
    check_command,
    check_variables,
    command_of,
    instruction,
    read,
)

VALUES: dict[str, Any] = read("helm-values.yaml")
CELERY: dict[str, Any] = read("helm-celery-values.yaml")
INSTANCE: dict[str, Any] = read("dagster.yaml")
[CODE] = VALUES["dagster-user-deployments"]["deployments"]
# values of the chart, and the settings of the launcher that its templates make of them
OF_LAUNCHER = {
    "failPodOnRunFailure": "fail_pod_on_run_failure",
    "imagePullPolicy": "image_pull_policy",
    "resources": "resources",
    "runK8sConfig": "run_k8s_config",
}
OF_RUN = {"podSpecConfig": "pod_spec_config", "jobSpecConfig": "job_spec_config"}


def test_the_instance_is_that_of_containers_but_for_the_storage_of_the_chart() -> None:
    added = VALUES["additionalInstanceConfig"]
    for part in ("concurrency", "run_monitoring", "run_retries", "retention", "nux"):
        assert added[part] == INSTANCE[part]
    assert VALUES["telemetry"] == INSTANCE["telemetry"]
    assert VALUES["pythonLogs"]["pythonLogLevel"] == INSTANCE["python_logs"]["python_log_level"]
    # of each of these the chart writes a part by itself, which must not stand there twice
    daemon = VALUES["dagsterDaemon"]
    for part in (daemon["runCoordinator"], daemon["runMonitoring"], daemon["runRetries"]):
        assert part == {"enabled": False}
    assert VALUES["retention"] == {"enabled": False}


def test_dagster_takes_the_instance(tmp_path: Path) -> None:
    (tmp_path / "dagster.yaml").write_text(yaml.safe_dump(VALUES["additionalInstanceConfig"]))
    config, _ = dagster_instance_config(str(tmp_path))
    assert config["run_monitoring"]["max_runtime_seconds"] == 86400


def test_the_launcher_of_runs_takes_its_values() -> None:
    assert VALUES["runLauncher"]["type"] == K8sRunLauncher.__name__
    values = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    config = {OF_LAUNCHER[name]: value for name, value in values.items()}
    config["run_k8s_config"] = {
        OF_RUN[name]: value for name, value in config["run_k8s_config"].items()
    }
    config |= {"service_account_name": "x", "instance_config_map": "x", "dagster_home": "/x"}
    launcher: Any = K8sRunLauncher
    check(launcher.config_type(), config)
    seconds = values["runK8sConfig"]["podSpecConfig"]["terminationGracePeriodSeconds"]
    assert seconds == 2 * 3600  # as Compose has it


def test_pods_of_runs_have_the_settings_of_the_code_location() -> None:
    assert CODE["includeConfigInLaunchedRuns"] == {"enabled": True}
    context = {
        "env": CODE["env"],
        "volumes": CODE["volumes"],
        "volume_mounts": CODE["volumeMounts"],
        "resources": CODE["resources"],
        "security_context": CODE["securityContext"],
    }
    assert K8sContainerContext.create_from_config({"k8s": context})
    check_variables([each["name"] for each in CODE["env"]])


def test_the_code_location_is_served_as_the_image_does() -> None:
    [command] = map(command_of, instruction("CMD"))
    served = ["dagster", "api", "grpc", *CODE["dagsterApiGrpcArgs"]]
    check_command(served)
    assert served == [
        word for word in command if word not in ("--host", "0.0.0.0", "--port", "4000")
    ]
    assert [str(CODE["port"])] == instruction("EXPOSE")


def test_what_is_written_is_a_volume_and_secrets_are_where_they_are_looked_for() -> None:
    mounted = {each["mountPath"]: each["name"] for each in CODE["volumeMounts"]}
    [volumes] = map(command_of, instruction("VOLUME"))
    [secrets] = [each["value"] for each in CODE["env"] if each["name"] == "SECRETS_DIR"]
    assert {*mounted} == {*volumes, secrets}
    assert sorted(mounted.values()) == sorted(each["name"] for each in CODE["volumes"])


def test_probes_ask_what_answers() -> None:
    check_command(VALUES["dagsterDaemon"]["livenessProbe"]["exec"]["command"])
    webserver = VALUES["dagsterWebserver"]
    assert webserver["readinessProbe"]["httpGet"] == {
        "path": "/server_info",
        "port": webserver["service"]["port"],
    }


def test_pods_have_the_user_of_the_image() -> None:
    [user] = instruction("USER")
    for part in (VALUES["dagsterWebserver"], VALUES["dagsterDaemon"], CODE):
        assert part["podSecurityContext"] == {"runAsNonRoot": True, "fsGroup": int(user)}


def test_logs_go_into_a_bucket() -> None:
    assert VALUES["computeLogManager"]["type"] == S3ComputeLogManager.__name__
    names = {"localDir": "local_dir", "uploadInterval": "upload_interval"}
    values = VALUES["computeLogManager"]["config"]["s3ComputeLogManager"]
    manager: Any = S3ComputeLogManager
    check(manager.config_type(), {names.get(name, name): value for name, value in values.items()})


def test_the_launcher_of_celery_takes_its_values() -> None:
    assert CELERY["runLauncher"]["type"] == CeleryK8sRunLauncher.__name__
    values = CELERY["runLauncher"]["config"]["celeryK8sRunLauncher"]
    assert values["image"] == CODE["image"]
    launcher: Any = CeleryK8sRunLauncher
    config = {"instance_config_map": "x", "dagster_home": "/x", "broker": "redis://x"}
    check(launcher.config_type(), {**config, "image_pull_policy": values["imagePullPolicy"]})
    for queue in values["workerQueues"]:
        check_command(["celery", "worker", *queue["additionalCeleryArgs"]])


@pytest.mark.parametrize("values", [VALUES, CELERY], ids=["values", "celery"])
def test_no_password_is_a_value(values: dict[str, Any]) -> None:
    assert "assword:" not in yaml.safe_dump(values)


def test_dagster_cloud_takes_its_file() -> None:
    text = (DEPLOY / "dagster_cloud.yaml").read_text()
    [location] = load_dagster_cloud_yaml(text).locations
    assert location.code_source
    assert location.code_source.module_name == "analytics_assets.definitions"
    context: Any = location.container_context
    assert K8sContainerContext.create_from_config(context)
    check_variables([each.partition("=")[0] for each in context["k8s"]["env_vars"]])


def check(schema: Any, config: dict[str, Any]) -> None:
    """Fail if a configuration is not what its schema takes."""
    processed = process_config(resolve_to_config_type(schema), config)
    assert processed.success, processed.errors
