"""Which keys of the compose specification the runner honours, ignores and refuses; docs/runner.md lists the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


class BadCompose(Exception):
    """compose.yaml says something that the runner cannot take; the message names it and its place."""


@dataclass(frozen=True)
class Keys:
    """The keys that may stand at one place."""

    honoured: frozenset[str]
    ignored: frozenset[str] = frozenset()
    refused: frozenset[str] = frozenset()


def _keys(text: str) -> frozenset[str]:
    return frozenset(text.split())


PLACES: dict[str, Keys] = {
    "top level": Keys(
        honoured=_keys("services volumes name x-local"),
        ignored=_keys("networks version"),
        refused=_keys("secrets configs include models"),
    ),
    "service": Keys(
        honoured=_keys(
            "command entrypoint environment healthcheck depends_on restart profiles volumes tmpfs deploy scale"
            " stop_grace_period stop_signal ports expose build image x-local"
        ),
        ignored=_keys(
            "annotations attach blkio_config cap_add cap_drop cgroup cgroup_parent cpu_count cpu_percent cpu_period"
            " cpu_quota cpu_shares cpus cpuset develop dns dns_opt dns_search domainname env_file extra_hosts group_add"
            " hostname init labels label_file logging mem_limit mem_reservation mem_swappiness memswap_limit networks"
            " oom_kill_disable oom_score_adj pids_limit platform pull_policy read_only runtime security_opt shm_size"
            " stdin_open storage_opt sysctls tty ulimits user userns_mode uts working_dir"
        ),
        refused=_keys(
            "configs container_name credential_spec device_cgroup_rules devices extends external_links gpus ipc"
            " isolation links mac_address models network_mode pid post_start pre_stop privileged provider secrets"
            " volumes_from"
        ),
    ),
    "deploy": Keys(
        honoured=_keys("replicas"),
        ignored=_keys("resources labels update_config rollback_config placement endpoint_mode"),
        refused=_keys("mode restart_policy"),
    ),
    "healthcheck": Keys(honoured=_keys("test interval timeout retries start_period start_interval disable")),
    "depends_on": Keys(honoured=_keys("condition required"), ignored=_keys("restart")),
    "volumes of a service": Keys(
        honoured=_keys("type source target"),
        ignored=_keys("read_only volume bind tmpfs consistency"),
        refused=_keys("image cluster"),
    ),
    "volumes": Keys(honoured=_keys("name"), ignored=_keys("driver driver_opts labels"), refused=_keys("external")),
    "x-local": Keys(honoured=_keys("part venv unless environment everywhere command healthcheck")),
    "x-local of the top level": Keys(honoured=_keys("environment")),
}


def check(place: str, where: str, node: Mapping[str, Any]) -> None:
    """Refuse a key that is refused, and one that nobody has thought of."""
    keys = PLACES[place]
    for key in node:
        if key in keys.refused:
            raise BadCompose(f"{where}: `{key}` is refused by the local runner (docs/runner.md says why)")
        if key not in keys.honoured | keys.ignored and not _extension(key):
            raise BadCompose(f"{where}: `{key}` is in none of the lists of docs/runner.md")


def _extension(key: str) -> bool:
    return key.startswith("x-") and key != "x-local"
