"""What is answered at the operator's door, for its description: an example of each."""

from typing import Final

from callpost.model.changes import Changes, Reloaded
from callpost.model.condition import (
    ConfigFigures,
    HealthReport,
    IntakeFigures,
    SpoolFigures,
    Status,
)
from callpost.model.purge import Purged
from callpost.web.examples import AT

HEALTH: Final = HealthReport(live=True, ready=True, phase="ready", degraded=())
STATUS: Final = Status(
    version="1.0.0",
    pid=4711,
    started_at=AT,
    health=HEALTH,
    config=ConfigFigures(
        file="/etc/callpost/callpost.toml", loaded_at=AT, last_good=False, warnings=0
    ),
    intake=IntakeFigures(accepted=12_033, duplicates=1, refused={"invalid": 2}, connections=1),
    spool=SpoolFigures(
        used_bytes=47_185_920,
        max_bytes=8_589_934_592,
        pending=3,
        dead=0,
        commits=4_000,
        commit_ms=2.14,
    ),
    subscriptions=2,
    paused=(),
    in_flight=1,
    attempts=24_070,
    delivered=24_061,
    died=0,
    lag_s=0.012,
    troubled=(),
    certificates=(),
)
RELOADED: Final = Reloaded(ok=True, dry_run=True, changes=Changes(added=("crm",), unchanged=1))
PURGED: Final = Purged(events=3)
CONFIGURATION: Final[dict[str, object]] = {
    "state_directory": "/var/lib/callpost",
    "runtime_directory": "/run/callpost",
}
