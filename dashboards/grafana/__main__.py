"""Write the dashboards: `python -m dashboards.grafana`."""

from pathlib import Path

from dashboards.grafana.generated import BOARDS, rendered

FOLDER = Path(__file__).parent / "boards"


def main() -> None:
    """One file a dashboard, named by its uid; what is no more goes."""
    FOLDER.mkdir(exist_ok=True)
    for file in FOLDER.glob("*.json"):
        if file.stem not in BOARDS:
            file.unlink()
    for uid in BOARDS:
        (FOLDER / f"{uid}.json").write_text(rendered(uid))


if __name__ == "__main__":
    main()
