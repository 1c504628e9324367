"""How a model says no. Apart from the contract, so that who only passes it on needs no arrays."""


class ContractBroken(ValueError):
    """The input does not keep the model's contract."""

    def __init__(self, where: str, what: str, allowed: str) -> None:
        super().__init__(f"{where}: {what}; allowed: {allowed}")
        self.where = where
        self.what = what
        self.allowed = allowed
