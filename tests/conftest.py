"""What holds for every test."""

from boa.contracts.vyper.vyper_contract import VyperContract
from hypothesis import settings

# How long an example of a property test takes says nothing about the code: none has a deadline.
settings.register_profile("no deadline", deadline=None)
settings.load_profile("no deadline")

# Titanoboa describes a contract in every revert with all of its storage, by traces that it never rolls back: a slot
# written by an undone contract of the same address makes it fail ("'IntegerT' object has no attribute 'key_type'").
VyperContract.__repr__ = lambda contract: f"<{contract.compiler_data.contract_path} at {contract.address}>"
