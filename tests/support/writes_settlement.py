"""The writes by which a settlement is posted, and where it is proved that each leaves one voucher."""

_PROVED = "tests/activities/test_settlement_posting.py"
LOST_REPLY = f"{_PROVED}::test_a_lost_reply_leaves_one_voucher"
DEATH = f"{_PROVED}::test_a_worker_that_dies_between_any_two_calls_leaves_one_voucher"

BY_FIELDS = (
    "ARS040MI.AddBatchHead",
    "ARS040MI.AddBatchLine",
    "ARS040MI.ControlBatch",
    "GLS840MI.AddBatchHead",
    "GLS840MI.AddBatchLineFld",
    "GLS840MI.CtrlBatch",
    "GLS840MI.UpdBatch",
)
"""What a company sends whose ledger interface takes fields by name."""
BY_POSITION = "GLS840MI.AddBatchLine"
"""What one sends in place of `AddBatchLineFld` whose interface takes lines of fixed positions."""

SETTLEMENT_WRITES: dict[str, tuple[str, ...]] = dict.fromkeys((*BY_FIELDS, BY_POSITION), (LOST_REPLY, DEATH))
"""By `program.transaction`: the tests in which the reply is lost, and the worker dies just before and just after."""
