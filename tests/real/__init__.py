"""Other people's contracts, as they run on the main chains, on a local anvil: Uniswap V2, Aave V3, Gearbox V3 from npm.

`uniswap.Uniswap.deploy`, `aave.Aave.deploy` and `gearbox.Gearbox.deploy` take a wallet; `tickets.RealTickets` puts the
staking contracts over them.
The sources of Aave and Gearbox are under the BUSL licence: compiled for these tests from `node_modules`, never kept or
shipped.
"""
