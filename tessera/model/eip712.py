"""The domain that all of Tessera's signed messages have in common (EIP-712), as wallets take it."""

DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
DOMAIN_TYPE = "EIP712Domain(" + ",".join(f"{field['type']} {field['name']}" for field in DOMAIN) + ")"
