"""Other people's contracts, as they run on the main chains, on a local anvil: Uniswap V2 and Aave V3 from npm.

`uniswap.Uniswap.deploy` and `aave.Aave.deploy` take a wallet; `tickets.RealTickets` puts the staking contracts over
both.
Aave's sources are under the BUSL licence: compiled for these tests from `node_modules`, never kept or shipped.
"""
