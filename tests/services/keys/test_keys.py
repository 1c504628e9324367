"""The one-shot that makes the secrets."""

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import TypeAdapter
from ruamel.yaml import YAML

from services.chassis.auth import TokenVerifier
from services.chassis.ids import new_id
from services.chassis.roles import ROLES
from services.identity.demo import Account
from services.identity.jwk import NotASigningKey, private_key, public_jwk
from services.identity.routes import PasswordText
from services.identity.tokens import TokenSigner
from services.identity.users import User
from services.keys import folders
from services.keys.main import CHECK_TOKENS, KeysSettings, make_keys, run

Files = dict[str, str]
ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[str], Path]:
    return lambda consumer: tmp_path / consumer


def files(root: Path) -> Files:
    return {str(path.relative_to(root)): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_everybody_gets_their_own_and_nothing_else(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    expected = {f"{name}/jwks.json" for name in CHECK_TOKENS}
    expected |= {f"{role}/database" for role in ROLES} | {f"migrate/{role}" for role in ROLES}
    expected |= {"postgres/superuser", "migrate/superuser", "web/csrf", "accounts/accounts.json"}
    expected |= {"inference_async/callback"}
    expected |= {"identity/signing.pem", "identity/accounts.json", "grafana/administrator", "monitoring/grafana"}
    assert set(files(tmp_path)) == expected


def test_nobody_can_write_and_their_consumer_can_read(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    assert modes == {0o444}


def test_both_sides_have_the_same_secret_and_no_two_are_the_same(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    made = files(tmp_path)
    secrets = [made["postgres/superuser"], made["web/csrf"]]
    for role in ROLES:
        assert made[f"{role}/database"] == made[f"migrate/{role}"]
        secrets.append(made[f"{role}/database"])
    assert made["postgres/superuser"] == made["migrate/superuser"]
    assert len(set(secrets)) == len(secrets)
    assert min(map(len, secrets)) >= 43


def test_a_second_run_keeps_everything(folder: Callable[[str], Path], tmp_path: Path) -> None:
    assert make_keys(folder) == len(files(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert make_keys(folder) == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_run_that_was_cut_off_anywhere_is_completed(
    folder: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_keys(folder)
    whole = len(files(tmp_path))
    for written in range(whole):
        root = tmp_path / f"run-{written}"
        with monkeypatch.context() as patch:
            patch.setattr(folders, "_write", dying_after(written))
            with pytest.raises(KeyboardInterrupt):
                make_keys(lambda consumer, root=root: root / consumer)  # type: ignore[misc]
        before = files(root)
        make_keys(lambda consumer, root=root: root / consumer)  # type: ignore[misc]
        after = files(root)
        assert before.items() <= after.items()
        assert len(after) == whole
        for role in ROLES:
            assert after[f"{role}/database"] == after[f"migrate/{role}"]


def dying_after(files_written: int) -> Callable[[Path, str], None]:
    real, left = folders._write, [files_written]

    def write(path: Path, content: str) -> None:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        real(path, content)

    return write


def test_an_empty_file_and_a_leftover_do_not_count(folder: Callable[[str], Path], tmp_path: Path) -> None:
    (tmp_path / "items").mkdir()
    (tmp_path / "items" / "database").write_text("")
    (tmp_path / "items" / f".database.{os.getpid()}.partial").write_text("half")
    make_keys(folder)
    assert (tmp_path / "items" / "database").read_text() == (tmp_path / "migrate" / "items").read_text() != ""
    assert not list(tmp_path.rglob("*.partial"))


def test_a_lost_volume_is_filled_again(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    before = files(tmp_path)
    (tmp_path / "postgres" / "superuser").unlink()
    (tmp_path / "search" / "jwks.json").unlink()
    assert make_keys(folder) == 2
    assert files(tmp_path) == before


def test_tokens_signed_with_the_key_are_taken_everywhere(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    signer = TokenSigner((tmp_path / "identity" / "signing.pem").read_text())
    user = User(new_id(), "somebody", ["user"], "")
    for name in CHECK_TOKENS:
        assert TokenVerifier((tmp_path / name / "jwks.json").read_bytes()).caller(signer.token(user)).id == user.id


def test_the_id_of_a_key_is_its_thumbprint() -> None:
    """The key of RFC 7515, appendix A.3."""
    pem = jwt.PyJWK(
        {
            "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0", "d": "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
        },
        algorithm="ES256",
    ).key  # fmt: skip
    assert public_jwk(pem)["kid"] == "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"


def test_another_kind_of_key_is_refused(tmp_path: Path) -> None:
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with pytest.raises(NotASigningKey):
        private_key(pem.decode())


def test_accounts_are_such_as_identity_takes(folder: Callable[[str], Path], tmp_path: Path) -> None:
    make_keys(folder)
    content = (tmp_path / "accounts" / "accounts.json").read_text()
    accounts = TypeAdapter(list[Account]).validate_json(content)
    for account in accounts:
        TypeAdapter(PasswordText).validate_python(account.password)
    assert [account.roles for account in accounts[:3]] == [["user"], ["user", "moderator"], ["user", "operator"]]
    assert len({account.name for account in accounts}) == 9
    assert content == (tmp_path / "identity" / "accounts.json").read_text()
    assert json.loads(content)[0].keys() == {"name", "password", "roles"}


def test_compose_names_every_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    service = YAML(typ="safe").load(ROOT / "compose.yaml")["services"]["keys"]
    mounted = {volume.split(":")[1] for volume in service["volumes"]}
    assert set(service["environment"].values()) == mounted
    for name, path in service["environment"].items():
        monkeypatch.setenv(name, f"{tmp_path}{path}")
    assert run([]) == 0
    assert {str(path) for path in (tmp_path / "keys").iterdir()} == {f"{tmp_path}{path}" for path in mounted}


def test_every_role_and_every_checker_of_tokens_has_a_folder() -> None:
    consumers = {name.removeprefix("keys_") for name in KeysSettings.model_fields if name.startswith("keys_")}
    assert {"postgres", "migrate", "grafana", "accounts", *ROLES, *CHECK_TOKENS} == consumers
